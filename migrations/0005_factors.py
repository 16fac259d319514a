"""A sign-in that waits for its second factor; the language in which an account is told things."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from models.factor import ChallengePurpose
from models.fields import Text
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0004_accounts')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Account',
            name='language',
            field=Text(default='ru', db_default='ru', max_length=5),
        ),
        ops.AlterField(
            model_name='Challenge',
            name='purpose',
            field=fields.CharEnumField(description='SIGN_IN: SIGN_IN\nPASSKEY_REGISTRATION: PASSKEY_REGISTRATION\nPASSKEY: PASSKEY\nSECOND_PASSKEY: SECOND_PASSKEY\nSIGNATURE: SIGNATURE\nESIA: ESIA', enum_type=ChallengePurpose, max_length=30),
        ),
    ]
