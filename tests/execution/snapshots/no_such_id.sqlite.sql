SELECT '{"practitioner":' || coalesce((SELECT '{"id":"' || t1."id" || '"}' FROM "practitioner" t1 WHERE (t1."id" = ?1 AND t1."organisation_id" = ?2)), 'null') || '}'
