"""What two people can race for, and what nobody may alter: decided by the database itself.

Constraints, exclusion, partial indexes and triggers, written by hand because the model
options leave them out. Names are stable: the resolvers translate them into problems.
"""

from uuid import UUID

from tortoise import migrations
from tortoise.migrations import operations as ops

SQLITE = [
    """CREATE TRIGGER shift_no_overlap_insert BEFORE INSERT ON "shift"
    WHEN NEW.practitioner_id IS NOT NULL AND NEW.state IN ('REQUESTED', 'PLANNED', 'APPROVED')
    BEGIN
      SELECT RAISE(ABORT, 'shift_no_overlap') WHERE EXISTS (
        SELECT 1 FROM "shift" s WHERE s.practitioner_id = NEW.practitioner_id
          AND s.state IN ('REQUESTED', 'PLANNED', 'APPROVED')
          AND s.starts_at < NEW.ends_at AND NEW.starts_at < s.ends_at);
    END""",
    """CREATE TRIGGER shift_no_overlap_update
    BEFORE UPDATE OF practitioner_id, state, starts_at, ends_at ON "shift"
    WHEN NEW.practitioner_id IS NOT NULL AND NEW.state IN ('REQUESTED', 'PLANNED', 'APPROVED')
    BEGIN
      SELECT RAISE(ABORT, 'shift_no_overlap') WHERE EXISTS (
        SELECT 1 FROM "shift" s WHERE s.practitioner_id = NEW.practitioner_id AND s.id <> NEW.id
          AND s.state IN ('REQUESTED', 'PLANNED', 'APPROVED')
          AND s.starts_at < NEW.ends_at AND NEW.starts_at < s.ends_at);
    END""",
    # A datetime in another spelling would compare wrongly: let nothing else in.
    """CREATE TRIGGER shift_times_insert BEFORE INSERT ON "shift"
    WHEN NEW.ends_at <= NEW.starts_at
      OR NEW.starts_at NOT GLOB '????-??-?? ??:??:??+00:00'
      OR NEW.ends_at NOT GLOB '????-??-?? ??:??:??+00:00'
    BEGIN SELECT RAISE(ABORT, 'shift_times'); END""",
    """CREATE TRIGGER shift_times_update BEFORE UPDATE OF starts_at, ends_at ON "shift"
    WHEN NEW.ends_at <= NEW.starts_at
      OR NEW.starts_at NOT GLOB '????-??-?? ??:??:??+00:00'
      OR NEW.ends_at NOT GLOB '????-??-?? ??:??:??+00:00'
    BEGIN SELECT RAISE(ABORT, 'shift_times'); END""",
    """CREATE TRIGGER course_seats_insert BEFORE INSERT ON "course"
    WHEN NEW.seats_taken < 0 OR NEW.seats_taken > NEW.seats
    BEGIN SELECT RAISE(ABORT, 'course_seats'); END""",
    """CREATE TRIGGER course_seats_update BEFORE UPDATE OF seats, seats_taken ON "course"
    WHEN NEW.seats_taken < 0 OR NEW.seats_taken > NEW.seats
    BEGIN SELECT RAISE(ABORT, 'course_seats'); END""",
    """CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON "audit_entry"
    BEGIN SELECT RAISE(ABORT, 'audit_entry_append_only'); END""",
    """CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON "audit_entry"
    BEGIN SELECT RAISE(ABORT, 'audit_entry_append_only'); END""",
]

POSTGRESQL = [
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """ALTER TABLE "shift" ADD CONSTRAINT shift_no_overlap EXCLUDE USING gist (
      practitioner_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&)
      WHERE (practitioner_id IS NOT NULL AND state IN ('REQUESTED', 'PLANNED', 'APPROVED'))""",
    'ALTER TABLE "shift" ADD CONSTRAINT shift_times CHECK (ends_at > starts_at)',
    'ALTER TABLE "course" ADD CONSTRAINT course_seats CHECK (seats_taken BETWEEN 0 AND seats)',
    """CREATE FUNCTION audit_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'audit_entry_append_only' USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    """CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON "audit_entry"
    FOR EACH ROW EXECUTE FUNCTION audit_entry_append_only()""",
]

BOTH = [
    """CREATE UNIQUE INDEX enrolment_once ON "enrolment" (course_id, practitioner_id)
    WHERE status <> 'CANCELLED'""",
    """CREATE INDEX session_living ON "session" (account_id) WHERE ended_at IS NULL""",
    """CREATE INDEX practitioner_order ON "practitioner" (organisation_id, full_name_folded, id)""",
]

# The one row that stands for the end of the audit chain.
HEAD = UUID(int=0)


async def integrity(_apps: object, editor: object) -> None:
    client = editor.client
    own = SQLITE if client.capabilities.dialect == "sqlite" else POSTGRESQL
    for statement in [*own, *BOTH]:
        await client.execute_query(statement)
    await client.execute_query(
        f"""INSERT INTO "audit_head" (id, position, hash) VALUES ('{HEAD}', 0, '')"""
    )


class Migration(migrations.Migration):
    dependencies = [("models", "0001_initial")]
    operations = [ops.RunPython(integrity)]
