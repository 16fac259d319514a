"""The ids that a failed sign-in tells of a login, by which an operator finds the account."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from models.fields import Text
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0009_messages_expire')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Account',
            name='email_told_id',
            field=Text(null=True, max_length=16),
        ),
        ops.AddField(
            model_name='Account',
            name='phone_told_id',
            field=Text(null=True, max_length=16),
        ),
        ops.AddIndex(
            model_name='Account',
            index=Index(fields=['phone_told_id']),
        ),
        ops.AddIndex(
            model_name='Account',
            index=Index(fields=['email_told_id']),
        ),
    ]
