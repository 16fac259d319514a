"""Until when a message is of use: a code that has ended is not sent any more."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from models.fields import Moment

class Migration(migrations.Migration):
    dependencies = [('models', '0008_confirmed_by')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Message',
            name='expires_at',
            field=Moment(null=True, auto_now=False, auto_now_add=False),
        ),
    ]
