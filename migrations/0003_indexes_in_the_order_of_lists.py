"""Indexes in the order of the lists that grow: a page is read from them, and nothing is sorted."""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [('models', '0002_integrity')]

    initial = False

    operations = [
        ops.AddIndex(
            model_name='Application',
            index=Index(fields=['organisation_id', 'created_at', 'id']),
        ),
        ops.AddIndex(
            model_name='AuditEntry',
            index=Index(fields=['organisation_id', 'at', 'id']),
        ),
        ops.AddIndex(
            model_name='AuditEntry',
            index=Index(fields=['about_id', 'at', 'id']),
        ),
        ops.AddIndex(
            model_name='Licence',
            index=Index(fields=['organisation_id', 'expires_on', 'id']),
        ),
        ops.RemoveIndex(
            model_name='Shift',
            name=None,
            fields=['practitioner_id', 'starts_at'],
        ),
        ops.RemoveIndex(
            model_name='Shift',
            name=None,
            fields=['department_id', 'starts_at'],
        ),
        ops.AddIndex(
            model_name='Shift',
            index=Index(fields=['practitioner_id', 'starts_at', 'id']),
        ),
        ops.AddIndex(
            model_name='Shift',
            index=Index(fields=['department_id', 'starts_at', 'id']),
        ),
        ops.AddIndex(
            model_name='Shift',
            index=Index(fields=['organisation_id', 'starts_at', 'id']),
        ),
    ]
