-- The rows of the benchmark: one organisation at full size, and a second so that row scopes bite.
-- The setting bench.people says how many practitioners it has, 200 at least. Ids are counted, so that every server is asked for the same ones. Shifts lie ahead and licences'
-- dates lie far from today: what the cabinet computes from the clock stays as it is for the run.
CREATE SCHEMA bench;

-- kind: 1 organisation, 2 department, 3 specialty, 4 practitioner, 5 licence, 6 shift, 7 course,
-- 8 enrolment
CREATE FUNCTION bench.id(kind int, number bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
  SELECT ('019a0000-' || lpad(to_hex(kind), 4, '0') || '-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid
$$;

CREATE FUNCTION bench.people() RETURNS bigint STABLE LANGUAGE sql AS $$
  SELECT current_setting('bench.people')::bigint
$$;

-- Two hundred people to a department; those added later share departments 2 to 50, so that
-- department 1 stays as it is. Names are in the order of numbers.
CREATE FUNCTION bench.department_of(number bigint) RETURNS bigint STABLE LANGUAGE sql AS $$
  SELECT CASE WHEN number <= bench.people() THEN 1 + (number - 1) / 200
              WHEN number > 9000000 THEN 51 + number % 3
              ELSE 2 + number % 49 END
$$;

CREATE FUNCTION bench.add_people(organisation int, family text, first bigint, last bigint)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO practitioner (id, public_id, organisation_id, department_id, specialty_id, status,
      profession, last_name, first_name, middle_name, last_name_folded, first_name_folded,
      full_name_folded, birth_date, snils, inn, personal_phone, personal_email, category,
      procedure_permits, created_at, updated_at, version)
  SELECT bench.id(4, i), 'MW-' || lpad(i::text, 9, '0'), bench.id(1, organisation),
      bench.id(2, bench.department_of(i)), bench.id(3, 1 + i % 5), 'ACTIVE',
      (ARRAY['DOCTOR', 'NURSE'])[1 + i % 2], initcap(family) || n.number, 'Иван', 'Иванович',
      family || n.number, 'иван', family || n.number || ' иван иванович',
      date '1960-01-01' + (i % 14000)::int, lpad(i::text, 11, '0'), lpad(i::text, 12, '7'),
      '+7900' || n.number, 'person' || i || '@example.org',
      (ARRAY['HIGHEST', 'FIRST', 'SECOND', NULL])[1 + i % 4], '[]', date_trunc('second', now()), date_trunc('second', now()), 1
  FROM generate_series(first, last) i, LATERAL (SELECT lpad(i::text, 7, '0')) n(number);

  INSERT INTO licence (id, organisation_id, practitioner_id, kind, number, issuer, issued_on,
      expires_on, revoked_on, created_at, version)
  SELECT bench.id(5, i * 3 + k), bench.id(1, organisation), bench.id(4, i),
      (ARRAY['SPECIALIST_CERTIFICATE', 'ACCREDITATION', 'MEDICAL_LICENCE'])[1 + k],
      'ЛО-' || i || '-' || k, 'Минздрав', current_date - 1500 + (i % 300)::int,
      current_date + (ARRAY[-400, 300, 900])[1 + k] + (i % 300)::int,
      CASE WHEN k = 2 AND i % 10 = 0 THEN current_date - 100 END,
      date_trunc('second', now()), 1
  FROM generate_series(first, last) i, generate_series(0, 2) k;
$$;

INSERT INTO organisation (id, name, name_folded, zone, weekly_norm) VALUES
  (bench.id(1, 1), 'Городская больница', 'городская больница', 'Europe/Moscow', 39),
  (bench.id(1, 2), 'Областная больница', 'областная больница', 'Europe/Moscow', 39);

INSERT INTO department (id, organisation_id, code, name, name_folded, city)
SELECT bench.id(2, i), bench.id(1, CASE WHEN i > 50 THEN 2 ELSE 1 END), 'D' || i,
    'Отделение ' || lpad(i::text, 2, '0'), 'отделение ' || lpad(i::text, 2, '0'),
    (ARRAY['Москва', 'Казань', 'Томск', 'Пермь', 'Омск'])[1 + i % 5]
FROM generate_series(1, 53) i;

INSERT INTO dictionary_entry (id, oid, version, code, name, name_folded, actual)
SELECT bench.id(3, i), '1.2.643.5.1.13.13.11.1066', '1', i::text, name, lower(name), true
FROM unnest(ARRAY['Терапия', 'Хирургия', 'Кардиология', 'Сестринское дело', 'Педиатрия'])
  WITH ORDINALITY AS of(name, i);

SELECT bench.add_people(1, 'иванов', 1, bench.people());
SELECT bench.add_people(2, 'яковлев', 9000001, 9000500);

INSERT INTO shift (id, organisation_id, department_id, practitioner_id, kind, profession, state,
    starts_at, ends_at, created_at, version)
SELECT bench.id(6, i * 20 + day), bench.id(1, 1), bench.id(2, bench.department_of(i)),
    bench.id(4, i), (ARRAY['DUTY', 'DAY', 'NIGHT'])[1 + (i + day) % 3], NULL,
    (ARRAY['PLANNED', 'APPROVED', 'REQUESTED'])[1 + (i + day) % 3],
    midnight + day * interval '1 day' + interval '8 hours',
    midnight + day * interval '1 day' + interval '20 hours', date_trunc('second', now()), 1
FROM generate_series(1, bench.people()) i, generate_series(0, 19) day,
  (SELECT date_trunc('day', now(), 'UTC') + interval '10 days') AS of(midnight);

INSERT INTO course (id, organisation_id, title, title_folded, provider, audience, credits,
    starts_on, ends_on, seats, seats_taken, version)
SELECT bench.id(7, i), bench.id(1, 1), 'Курс ' || i, 'курс ' || i, 'РНИМУ', 'EVERYONE',
    18 + i % 3 * 18, current_date + i % 100, current_date + i % 100 + 5, 1000, 250, 1
FROM generate_series(1, 200) i;

-- Five each; the ids go with their order, the newest first.
INSERT INTO enrolment (id, organisation_id, course_id, practitioner_id, status, created_at, version)
SELECT bench.id(8, i * 5 + k), bench.id(1, 1), bench.id(7, 1 + (i + k * 40) % 200), bench.id(4, i),
    (ARRAY['REQUESTED', 'CONFIRMED', 'COMPLETED'])[1 + (i + k) % 3],
    date_trunc('second', now()) - k * interval '1 hour', 1
FROM generate_series(1, bench.people()) i, generate_series(0, 4) k;

-- The peers read as a stored column what the cabinet computes from a licence's dates.
ALTER TABLE licence ADD COLUMN status text;
UPDATE licence SET status = CASE
  WHEN revoked_on <= current_date THEN 'REVOKED'
  WHEN issued_on > current_date THEN 'UPCOMING'
  WHEN expires_on < current_date THEN 'EXPIRED'
  ELSE 'VALID' END;

-- A name that PostGraphile's own rowId would meet.
COMMENT ON COLUMN imported_record.row_id IS '@name importedRowId';
