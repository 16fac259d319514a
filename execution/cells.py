"""The printer of cells: what of the columns of one row becomes text."""

from execution.dialects import QUOTED, Dialect
from execution.pieces import Alias, Literal, text_of
from execution.shape import Cell, Column, Difference, Masked, Member


def cell(dialect: Dialect, value: Cell, row: Alias) -> list[str]:
    """The pieces of a cell's JSON."""
    if isinstance(value, Column):
        text = dialect.forms[value.form].format(row.column(value.name))
        return _shown(text, value, row)
    if isinstance(value, Masked):
        column, form = row.column(value.column.name), dialect.forms[value.column.form]
        if value.column.form == "text":
            text = form.format(dialect.masked(column, value.keep))
        else:
            text = dialect.masked(form.format(column), value.keep)
        return _shown(text, value.column, row)
    if isinstance(value, Member):
        text = dialect.member(row.column(value.column), value.key)
        return [f"coalesce({dialect.forms['text'].format(text)}, 'null')"]
    if isinstance(value, Difference):
        return [dialect.text(f"{row.column(value.of)} - {row.column(value.less)}")]
    seconds = dialect.seconds(row.column(value.since), row.column(value.until))
    hours = dialect.hundredths(f"(({seconds}) + 18) / 36")
    return [f"""'"' || {hours} || '"'"""]


def _shown(text: str, column: Column, row: Alias) -> list[str]:
    """A column's text within the quotes that its form has, or null."""
    quote = [Literal('"')] if column.form in QUOTED else []
    pieces = [*quote, text, *quote]
    if column.name != "id" and row.may_be_empty(column.name):
        return [f"coalesce({text_of(pieces)}, 'null')"]
    return pieces
