"""Uploads, with what the documents of tickets are sealed, and who takes a ticket."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from core.ids import uuid7
from models.fields import Key, Moment, Text
from models.upload import UploadPurpose
from tortoise.fields.base import OnDelete
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0005_factors')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Upload',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('purpose', fields.CharEnumField(description='TICKET: TICKET', enum_type=UploadPurpose, max_length=20)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', null=True, db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('file_name', Text(max_length=200)),
                ('media_type', Text(max_length=100)),
                ('size', fields.IntField()),
                ('created_at', Moment(db_index=True, auto_now=False, auto_now_add=False)),
                ('stored_at', Moment(null=True, auto_now=False, auto_now_add=False)),
                ('storage_name', Text(null=True, unique=True, max_length=100)),
                ('key_sealed', fields.TextField(null=True, unique=False)),
                ('sha256', Text(null=True, max_length=64)),
            ],
            options={'table': 'upload', 'app': 'models', 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.AddField(
            model_name='Ticket',
            name='taken_by',
            field=fields.ForeignKeyField('models.Account', source_field='taken_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='TicketDocument',
            name='key_sealed',
            field=fields.TextField(db_default='', unique=False),
        ),
    ]
