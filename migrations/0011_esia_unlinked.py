"""Since when an account is closed to Gosuslugi by its owner: a SNILS does not link it again."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from models.fields import Moment

class Migration(migrations.Migration):
    dependencies = [('models', '0010_told_ids')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Account',
            name='esia_unlinked_at',
            field=Moment(null=True, auto_now=False, auto_now_add=False),
        ),
    ]
