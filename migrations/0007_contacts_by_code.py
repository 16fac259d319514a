"""Codes for invitations and visits, and who asked for one; contacts that nobody has shown go."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from models.factor import CodePurpose
from tortoise.fields.base import OnDelete
from tortoise import fields


async def release_contacts(_apps: object, editor: object) -> None:
    await editor.client.execute_query(
        """UPDATE "account" SET email = NULL, phone = NULL WHERE state = 'INVITED'"""
    )


class Migration(migrations.Migration):
    dependencies = [('models', '0006_uploads')]

    initial = False

    operations = [
        ops.AlterField(
            model_name='SentCode',
            name='purpose',
            field=fields.CharEnumField(description='REGISTRATION: REGISTRATION\nCONFIRMATION: CONFIRMATION\nROLE: ROLE\nSIGN_IN: SIGN_IN\nRECOVERY: RECOVERY\nCONTACT: CONTACT\nINVITATION: INVITATION\nVISIT: VISIT', enum_type=CodePurpose, max_length=20),
        ),
        ops.AddField(
            model_name='SentCode',
            name='asked_by',
            field=fields.ForeignKeyField('models.Account', source_field='asked_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.SET_NULL),
        ),
        ops.RunPython(release_contacts),
    ]
