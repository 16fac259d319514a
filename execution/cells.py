"""The printer of cells: what of the columns of one row becomes text."""

from execution.dialects import Dialect
from execution.pieces import Alias
from execution.shape import Cell, Column, Difference, Masked, Member


def cell(dialect: Dialect, value: Cell, row: Alias) -> str:
    """SQL of a cell's JSON."""
    if isinstance(value, Column):
        text = dialect.forms[value.form].format(row.column(value.name))
        if value.name != "id" and row.may_be_empty(value.name):
            return f"coalesce({text}, 'null')"
        return f"({text})"
    if isinstance(value, Masked):
        return _masked(dialect, value, row)
    if isinstance(value, Member):
        text = dialect.member(row.column(value.column), value.key)
        return f"coalesce({dialect.forms['text'].format(text)}, 'null')"
    if isinstance(value, Difference):
        return dialect.text(f"{row.column(value.of)} - {row.column(value.less)}")
    seconds = dialect.seconds(row.column(value.since), row.column(value.until))
    hours = dialect.hundredths(f"(({seconds}) + 18) / 36")
    return f"""'"' || {hours} || '"'"""


def _masked(dialect: Dialect, value: Masked, row: Alias) -> str:
    column, form = row.column(value.column.name), dialect.forms[value.column.form]
    if value.column.form == "text":
        text = form.format(dialect.masked(column, value.keep))
    else:
        # Quotes are among what stays.
        text = dialect.masked(form.format(column), value.keep)
    return f"coalesce({text}, 'null')"
