"""Codes by which a factor is shown again in a session are apart from those to sign in."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from models.factor import CodePurpose
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0011_esia_unlinked')]

    initial = False

    operations = [
        ops.AlterField(
            model_name='SentCode',
            name='purpose',
            field=fields.CharEnumField(description='REGISTRATION: REGISTRATION\nCONFIRMATION: CONFIRMATION\nROLE: ROLE\nSIGN_IN: SIGN_IN\nFACTOR: FACTOR\nRECOVERY: RECOVERY\nCONTACT: CONTACT\nINVITATION: INVITATION\nVISIT: VISIT', enum_type=CodePurpose, max_length=20),
        ),
    ]
