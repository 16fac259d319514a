"""How an account was confirmed; of those confirmed before, nobody knows."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from models.account import ConfirmedBy
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0007_contacts_by_code')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Account',
            name='confirmed_by',
            field=fields.CharEnumField(description='SMS: SMS\nEMAIL: EMAIL\nVISIT: VISIT\nESIA: ESIA\nINVITATION: INVITATION', null=True, enum_type=ConfirmedBy, max_length=20),
        ),
    ]
