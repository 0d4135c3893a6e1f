//! Parameters of a statement on PostgreSQL: values one by one, and rows as an array for each column.

use sqlx::{Arguments as _, postgres::PgArguments};

use crate::{Error, Value};

/// How many bytes of values travel with a statement, about.
pub(super) const BYTES_PER_STATEMENT: usize = 8 * 1024 * 1024;

/// The parameters of a statement so far.
#[derive(Default)]
pub(super) struct Parameters {
    pub(super) arguments: PgArguments,
    count: usize,
    /// How many bytes they take, about.
    pub(super) bytes: usize,
}

/// The values of a column.
enum Column<'a> {
    Integers(Vec<Option<i64>>),
    Numbers(Vec<f64>),
    Texts(Vec<&'a str>),
    Bytes(Vec<&'a [u8]>),
}

impl Parameters {
    /// Binds values as the next parameters.
    pub(super) fn bind(&mut self, values: &[Value<'_>]) -> Result<(), Error> {
        for value in values {
            self.count += 1;
            let bound = match *value {
                Value::Integer(number) => self.arguments.add(number),
                Value::Optional(number) => self.arguments.add(number),
                Value::Number(number) => self.arguments.add(number),
                Value::Text(text) => self.arguments.add(text),
                Value::Bytes(bytes) => self.arguments.add(bytes),
            };
            bound.map_err(sqlx::Error::Encode)?;
        }
        Ok(())
    }

    /// Binds keys of so many columns, one after another, as the next parameters. Returns the text that compares with them; a
    /// single one is planned faster as it is.
    pub(super) fn bind_keys(&mut self, width: usize, keys: &[Value<'_>]) -> Result<String, Error> {
        if keys.len() == width {
            let first = self.count + 1;
            self.bind(keys)?;
            let numbers: Vec<String> = (first..=self.count).map(|number| format!("${number}")).collect();
            return Ok(format!("= ({})", numbers.join(", ")));
        }
        Ok(format!("in (select * from {})", self.bind_columns(width, keys)?))
    }

    /// Binds rows of so many columns, one after another, as the next parameters: an array for each column. Returns the text that
    /// makes them rows again.
    pub(super) fn bind_columns(&mut self, width: usize, rows: &[Value<'_>]) -> Result<String, Error> {
        let mut arrays = Vec::with_capacity(width);
        for index in 0..width {
            let column = Column::of(rows.iter().skip(index).step_by(width).copied(), rows.len() / width)?;
            self.count += 1;
            let (bound, kind) = match column {
                Column::Integers(numbers) => (self.arguments.add(numbers), "bigint"),
                Column::Numbers(numbers) => (self.arguments.add(numbers), "double precision"),
                Column::Texts(texts) => (self.arguments.add(texts), "text"),
                Column::Bytes(bytes) => (self.arguments.add(bytes), "bytea"),
            };
            bound.map_err(sqlx::Error::Encode)?;
            arrays.push(format!("${}::{kind}[]", self.count));
        }
        self.bytes += size(rows);
        Ok(format!("unnest({})", arrays.join(", ")))
    }
}

impl<'a> Column<'a> {
    fn of(values: impl Iterator<Item = Value<'a>>, count: usize) -> Result<Self, Error> {
        let mut values = values.peekable();
        let mut column = match values.peek() {
            Some(Value::Number(_)) => Self::Numbers(Vec::with_capacity(count)),
            Some(Value::Text(_)) => Self::Texts(Vec::with_capacity(count)),
            Some(Value::Bytes(_)) => Self::Bytes(Vec::with_capacity(count)),
            Some(Value::Integer(_) | Value::Optional(_)) | None => Self::Integers(Vec::with_capacity(count)),
        };
        for value in values {
            match (&mut column, value) {
                (Self::Integers(column), Value::Integer(number)) => column.push(Some(number)),
                (Self::Integers(column), Value::Optional(number)) => column.push(number),
                (Self::Numbers(column), Value::Number(number)) => column.push(number),
                (Self::Texts(column), Value::Text(text)) => column.push(text),
                (Self::Bytes(column), Value::Bytes(bytes)) => column.push(bytes),
                _ => return Err(Error::Unstorable("a column has values of different types")),
            }
        }
        Ok(column)
    }
}

/// Cuts rows of so many columns into portions that a statement can take.
pub(super) fn portions<'r, 'v>(width: usize, rows: &'r [Value<'v>]) -> impl Iterator<Item = &'r [Value<'v>]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.chunks(width).take_while(|row| {
            let before = bytes;
            bytes += size(row);
            before < BYTES_PER_STATEMENT
        });
        let (portion, others) = rest.split_at(fits.count() * width);
        rest = others;
        (!portion.is_empty()).then_some(portion)
    })
}

/// The text of keys of so many columns that compares with them, with the keys in it.
///
/// # Errors
/// [`Error::Unstorable`] if a value is neither a number nor a text that the server can have.
pub(super) fn literal_keys(width: usize, keys: &[Value<'_>]) -> Result<String, Error> {
    let mut rows = Vec::with_capacity(keys.len() / width);
    for key in keys.chunks(width) {
        let values: Result<Vec<String>, Error> = key.iter().map(literal).collect();
        rows.push(values?.join(", "));
    }
    Ok(match width {
        1 => format!("in ({})", rows.join(", ")),
        _ => format!("in (values ({}))", rows.join("), (")),
    })
}

fn literal(value: &Value<'_>) -> Result<String, Error> {
    match *value {
        Value::Integer(number) => Ok(number.to_string()),
        // With `standard_conforming_strings` nothing but the quote itself means anything.
        Value::Text(text) if !text.contains('\0') => Ok(format!("'{}'", text.replace('\'', "''"))),
        _ => Err(Error::Unstorable("a key has something else than numbers and texts")),
    }
}

/// How many bytes values take, about.
fn size(values: &[Value<'_>]) -> usize {
    let bytes = values.iter().map(|value| match value {
        Value::Text(text) => text.len() + 4,
        Value::Bytes(bytes) => bytes.len() + 4,
        Value::Integer(_) | Value::Optional(_) | Value::Number(_) => 12,
    });
    bytes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_have_all_rows_in_order_and_no_more_bytes_than_travel() {
        let large = vec![0_u8; BYTES_PER_STATEMENT / 2];
        let rows: Vec<[Value<'_>; 2]> = (0..7)
            .map(|number| {
                let bytes = if number % 3 == 0 { &large[..] } else { &large[..1] };
                [Value::Integer(number), Value::Bytes(bytes)]
            })
            .collect();
        let portions: Vec<Vec<i64>> = portions(2, rows.as_flattened())
            .map(|portion| {
                let number = |row: &[Value<'_>]| if let Value::Integer(number) = row[0] { number } else { -1 };
                portion.chunks(2).map(number).collect()
            })
            .collect();
        assert_eq!(portions, [vec![0, 1, 2, 3], vec![4, 5, 6]]);
    }

    #[test]
    fn a_column_has_values_of_one_type() {
        let mixed = [Value::Integer(1), Value::Optional(None), Value::Optional(Some(3))];
        let Ok(Column::Integers(numbers)) = Column::of(mixed.into_iter(), 3) else { panic!("no numbers") };
        assert_eq!(numbers, [Some(1), None, Some(3)]);
        assert!(Column::of([Value::Text("1"), Value::Integer(1)].into_iter(), 2).is_err());
    }

    #[test]
    fn parameters_are_counted_on() {
        let mut parameters = Parameters::default();
        parameters.bind(&[Value::Text("a")]).unwrap();
        let rows = [[Value::Integer(1), Value::Bytes(b"x")], [Value::Integer(2), Value::Bytes(b"y")]];
        let rows = rows.as_flattened();
        assert_eq!(parameters.bind_columns(2, rows).unwrap(), "unnest($2::bigint[], $3::bytea[])");
        assert_eq!(parameters.bind_keys(2, &rows[..2]).unwrap(), "= ($4, $5)");
        assert_eq!(parameters.bind_keys(2, rows).unwrap(), "in (select * from unnest($6::bigint[], $7::bytea[]))");
    }

    #[test]
    fn keys_stand_in_a_text_as_they_are() {
        let keys = [Value::Text("it's \\ '' ;--"), Value::Integer(i64::MIN), Value::Text(""), Value::Integer(7)];
        let text = literal_keys(2, &keys).unwrap();
        assert_eq!(text, r"in (values ('it''s \ '''' ;--', -9223372036854775808), ('', 7))");
        assert_eq!(literal_keys(1, &keys[1..2]).unwrap(), "in (-9223372036854775808)");
        assert!(literal_keys(1, &[Value::Text("a\0")]).is_err());
        assert!(literal_keys(1, &[Value::Bytes(b"a")]).is_err());
    }
}
