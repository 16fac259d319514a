"""The life of an account: identity, factors, the outbox, tickets, notices and counted events."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from core.ids import uuid7
from models.account import SignInMethod
from models.factor import ChallengePurpose, Channel, CodePurpose
from models.fields import Key, Moment, Text
from models.identity import Provider
from models.message import MessageState
from models.notice import NoticeKind
from models.ticket import TicketReason, TicketState, ticket_number
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0003_indexes_in_the_order_of_lists')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Challenge',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('purpose', fields.CharEnumField(description='PASSKEY_REGISTRATION: PASSKEY_REGISTRATION\nPASSKEY: PASSKEY\nSECOND_PASSKEY: SECOND_PASSKEY\nSIGNATURE: SIGNATURE\nESIA: ESIA', enum_type=ChallengePurpose, max_length=30)),
                ('value_hash', Text(unique=True, max_length=64)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', null=True, db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('session', fields.ForeignKeyField('models.Session', source_field='session_id', null=True, db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('payload_sealed', fields.TextField(unique=False)),
                ('expires_at', Moment(db_index=True, auto_now=False, auto_now_add=False)),
                ('used_at', Moment(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'challenge', 'app': 'models', 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='ExternalIdentity',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name='external_identities', on_delete=OnDelete.CASCADE)),
                ('provider', fields.CharEnumField(description='ESIA: ESIA', enum_type=Provider, max_length=20)),
                ('subject', Text(max_length=200)),
                ('linked_at', Moment(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'external_identity', 'app': 'models', 'unique_together': (('provider', 'subject'), ('account_id', 'provider')), 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Hit',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('key_hash', Text(max_length=64)),
                ('at', Moment(auto_now=False, auto_now_add=False)),
                ('ends_at', Moment(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'hit', 'app': 'models', 'indexes': [Index(fields=['key_hash', 'at'])], 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Identity',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('account', fields.OneToOneField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name='identity', on_delete=OnDelete.CASCADE)),
                ('last_name', Text(max_length=120)),
                ('first_name', Text(max_length=120)),
                ('patronymic', Text(null=True, max_length=120)),
                ('birth_date', fields.DateField(null=True)),
                ('inn_sealed', fields.TextField(null=True, unique=False)),
                ('inn_hash', Text(null=True, unique=True, max_length=64)),
                ('snils_sealed', fields.TextField(null=True, unique=False)),
                ('snils_hash', Text(null=True, unique=True, max_length=64)),
                ('passport_sealed', fields.TextField(null=True, unique=False)),
                ('passport_hash', Text(null=True, db_index=True, max_length=64)),
                ('specialty', fields.ForeignKeyField('models.DictionaryEntry', source_field='specialty_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', Moment(auto_now=False, auto_now_add=True)),
                ('version', fields.IntField(default=1)),
            ],
            options={'table': 'identity', 'app': 'models', 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Message',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('channel', fields.CharEnumField(description='SMS: SMS\nEMAIL: EMAIL', enum_type=Channel, max_length=10)),
                ('to_sealed', fields.TextField(unique=False)),
                ('subject_sealed', fields.TextField(unique=False)),
                ('body_sealed', fields.TextField(unique=False)),
                ('state', fields.CharEnumField(default=MessageState.QUEUED, description='QUEUED: QUEUED\nSENT: SENT\nFAILED: FAILED\nWITHHELD: WITHHELD', enum_type=MessageState, max_length=10)),
                ('attempts', fields.IntField(default=0)),
                ('created_at', Moment(auto_now=False, auto_now_add=False)),
                ('next_at', Moment(auto_now=False, auto_now_add=False)),
                ('sent_at', Moment(null=True, auto_now=False, auto_now_add=False)),
                ('error', Text(default='', max_length=400)),
            ],
            options={'table': 'message', 'app': 'models', 'indexes': [Index(fields=['state', 'next_at', 'id'])], 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Passkey',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_index=True, db_constraint=True, to_field='id', related_name='passkeys', on_delete=OnDelete.CASCADE)),
                ('credential_id', Text(unique=True, max_length=1400)),
                ('public_key', fields.BinaryField()),
                ('sign_count', fields.BigIntField(default=0)),
                ('name', Text(max_length=100)),
                ('transports', Text(default='', max_length=100)),
                ('created_at', Moment(auto_now=False, auto_now_add=False)),
                ('used_at', Moment(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'passkey', 'app': 'models', 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_index=True, db_constraint=True, to_field='id', related_name='recovery_codes', on_delete=OnDelete.CASCADE)),
                ('code_hash', Text(unique=True, max_length=64)),
                ('created_at', Moment(auto_now=False, auto_now_add=False)),
                ('used_at', Moment(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'recovery_code', 'app': 'models', 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='SentCode',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('handle_hash', Text(unique=True, max_length=64)),
                ('key_hash', Text(db_index=True, max_length=64)),
                ('purpose', fields.CharEnumField(description='REGISTRATION: REGISTRATION\nCONFIRMATION: CONFIRMATION\nROLE: ROLE\nSIGN_IN: SIGN_IN\nRECOVERY: RECOVERY\nCONTACT: CONTACT', enum_type=CodePurpose, max_length=20)),
                ('channel', fields.CharEnumField(description='SMS: SMS\nEMAIL: EMAIL', enum_type=Channel, max_length=10)),
                ('contact_hash', Text(max_length=64)),
                ('contact_sealed', fields.TextField(unique=False)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', null=True, db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('code_hash', Text(max_length=64)),
                ('sent_at', Moment(auto_now=False, auto_now_add=False)),
                ('expires_at', Moment(auto_now=False, auto_now_add=False)),
                ('tries', fields.IntField(default=0)),
                ('sends', fields.IntField(default=1)),
                ('resend_at', Moment(auto_now=False, auto_now_add=False)),
                ('proved_at', Moment(null=True, auto_now=False, auto_now_add=False)),
                ('used_at', Moment(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'sent_code', 'app': 'models', 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='ServiceNotice',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('kind', fields.CharEnumField(description='PLANNED: PLANNED\nOUTAGE: OUTAGE', enum_type=NoticeKind, max_length=10)),
                ('part', Text(default='', max_length=40)),
                ('title_ru', Text(max_length=200)),
                ('title_en', Text(max_length=200)),
                ('text_ru', Text(default='', max_length=4000)),
                ('text_en', Text(default='', max_length=4000)),
                ('starts_at', Moment(auto_now=False, auto_now_add=False)),
                ('ends_at', Moment(null=True, auto_now=False, auto_now_add=False)),
                ('ended_at', Moment(null=True, auto_now=False, auto_now_add=False)),
                ('source', Text(max_length=40)),
                ('created_at', Moment(auto_now=False, auto_now_add=False)),
                ('version', fields.IntField(default=1)),
            ],
            options={'table': 'service_notice', 'app': 'models', 'indexes': [Index(fields=['ended_at', 'starts_at', 'id'])], 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Ticket',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('number', Text(default=ticket_number, unique=True, max_length=16)),
                ('contact_sealed', fields.TextField(unique=False)),
                ('contact_hash', Text(db_index=True, max_length=64)),
                ('reason', fields.CharEnumField(description='ACCOUNT_LOCKED: ACCOUNT_LOCKED\nSECOND_FACTOR_LOST: SECOND_FACTOR_LOST\nCONTACT_LOST: CONTACT_LOST\nSIGN_IN_ERROR: SIGN_IN_ERROR\nOTHER: OTHER', enum_type=TicketReason, max_length=30)),
                ('text', Text(max_length=4000)),
                ('error_text', Text(default='', max_length=2000)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', null=True, db_constraint=True, to_field='id', related_name='tickets', on_delete=OnDelete.RESTRICT)),
                ('state', fields.CharEnumField(default=TicketState.NEW, description='NEW: NEW\nIN_REVIEW: IN_REVIEW\nANSWERED: ANSWERED\nREFUSED: REFUSED', enum_type=TicketState, max_length=20)),
                ('created_at', Moment(auto_now=False, auto_now_add=False)),
                ('decided_by', fields.ForeignKeyField('models.Account', source_field='decided_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('decided_at', Moment(null=True, auto_now=False, auto_now_add=False)),
                ('answer', Text(null=True, max_length=4000)),
                ('version', fields.IntField(default=1)),
            ],
            options={'table': 'ticket', 'app': 'models', 'indexes': [Index(fields=['state', 'created_at', 'id']), Index(fields=['account_id', 'created_at', 'id'])], 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='TicketDocument',
            fields=[
                ('id', Key(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('ticket', fields.ForeignKeyField('models.Ticket', source_field='ticket_id', db_index=True, db_constraint=True, to_field='id', related_name='documents', on_delete=OnDelete.CASCADE)),
                ('file_name', Text(max_length=200)),
                ('size', fields.IntField()),
                ('media_type', Text(max_length=100)),
                ('storage_name', Text(unique=True, max_length=100)),
                ('sha256', Text(max_length=64)),
                ('created_at', Moment(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'ticket_document', 'app': 'models', 'pk_attr': 'id'},
            bases=['Row'],
        ),
        ops.AddField(
            model_name='Account',
            name='email_confirmed_at',
            field=Moment(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Account',
            name='phone_confirmed_at',
            field=Moment(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Account',
            name='sms_factor',
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name='Account',
            name='terms_accepted_at',
            field=Moment(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Account',
            name='terms_version',
            field=Text(null=True, max_length=40),
        ),
        ops.AddField(
            model_name='Account',
            name='totp_pending_sealed',
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(
            model_name='Session',
            name='factor_at',
            field=Moment(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Session',
            name='in_cookies',
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name='Session',
            name='method',
            field=fields.CharEnumField(default=SignInMethod.TOTP, description='TOTP: TOTP\nSMS: SMS\nRECOVERY_CODE: RECOVERY_CODE\nSECOND_PASSKEY: SECOND_PASSKEY\nPASSKEY: PASSKEY\nSIGNATURE: SIGNATURE\nESIA: ESIA\nSCRIPT: SCRIPT', db_default=SignInMethod.TOTP, enum_type=SignInMethod, max_length=20),
        ),
        ops.AddField(
            model_name='Session',
            name='place',
            field=Text(default='', db_default='', max_length=200),
        ),
    ]
