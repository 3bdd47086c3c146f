//! The structs of a file's metadata, and a walk that makes sure that an encoding has them.
//!
//! Of what differs from these, readers take different things: some take a field whatever its type, others skip it; some
//! take the first of two values, others the last, or both.

use super::thrift::{BINARY, BYTE, DOUBLE, FALSE, INTEGER, LIST, LONG, Reader, SHORT, STRUCT, TRUE};
use crate::error::{Result, mismatch};

/// What a field may hold.
#[derive(Clone, Copy)]
pub enum Kind {
    Boolean,
    Plain(u8),
    Struct(&'static Shape),
    List(&'static Kind),
}

/// The name of a struct, and its fields, by number.
pub struct Shape {
    name: &'static str,
    fields: &'static [(i64, Kind)],
}

const I8: Kind = Kind::Plain(BYTE);
const I16: Kind = Kind::Plain(SHORT);
const I32: Kind = Kind::Plain(INTEGER);
const I64: Kind = Kind::Plain(LONG);
const REAL: Kind = Kind::Plain(DOUBLE);
const TEXT: Kind = Kind::Plain(BINARY);

const fn shape(name: &'static str, fields: &'static [(i64, Kind)]) -> Shape {
    Shape { name, fields }
}

/// The metadata of a file. Names and numbers are those of the format's `parquet.thrift`.
pub static FILE: Shape = shape(
    "FileMetaData",
    &[
        (1, I32),
        (2, Kind::List(&Kind::Struct(&COLUMN))),
        (3, I64),
        (4, Kind::List(&Kind::Struct(&ROW_GROUP))),
        (5, KEYS_AND_VALUES),
        (6, TEXT),
        (7, Kind::List(&Kind::Struct(&COLUMN_ORDER))),
        (8, Kind::Struct(&ENCRYPTION)),
        (9, TEXT),
    ],
);

static COLUMN: Shape = shape(
    "SchemaElement",
    &[
        (1, I32),
        (2, I32),
        (3, I32),
        (4, TEXT),
        (5, I32),
        (6, I32),
        (7, I32),
        (8, I32),
        (9, I32),
        (10, Kind::Struct(&LOGICAL_TYPE)),
    ],
);

static LOGICAL_TYPE: Shape = shape(
    "LogicalType",
    &[
        (1, EMPTY),
        (2, EMPTY),
        (3, EMPTY),
        (4, EMPTY),
        (5, Kind::Struct(&DECIMAL)),
        (6, EMPTY),
        (7, Kind::Struct(&TIME)),
        (8, Kind::Struct(&TIME)),
        (10, Kind::Struct(&INTEGER_TYPE)),
        (11, EMPTY),
        (12, EMPTY),
        (13, EMPTY),
        (14, EMPTY),
        (15, EMPTY),
        (16, Kind::Struct(&VARIANT)),
        (17, Kind::Struct(&GEOGRAPHY)),
        (18, Kind::Struct(&GEOGRAPHY)),
    ],
);

static DECIMAL: Shape = shape("DecimalType", &[(1, I32), (2, I32)]);
static TIME: Shape = shape("TimeType", &[(1, Kind::Boolean), (2, Kind::Struct(&TIME_UNIT))]);
static TIME_UNIT: Shape = shape("TimeUnit", &[(1, EMPTY), (2, EMPTY), (3, EMPTY)]);
static INTEGER_TYPE: Shape = shape("IntType", &[(1, I8), (2, Kind::Boolean)]);
static VARIANT: Shape = shape("VariantType", &[(1, I8)]);
/// Of geometries the first field alone.
static GEOGRAPHY: Shape = shape("GeographyType", &[(1, TEXT), (2, I32)]);

static ROW_GROUP: Shape = shape(
    "RowGroup",
    &[
        (1, Kind::List(&Kind::Struct(&COLUMN_CHUNK))),
        (2, I64),
        (3, I64),
        (4, Kind::List(&Kind::Struct(&SORTING))),
        (5, I64),
        (6, I64),
        (7, I16),
    ],
);

static SORTING: Shape = shape("SortingColumn", &[(1, I32), (2, Kind::Boolean), (3, Kind::Boolean)]);

static COLUMN_CHUNK: Shape = shape(
    "ColumnChunk",
    &[
        (1, TEXT),
        (2, I64),
        (3, Kind::Struct(&COLUMN_METADATA)),
        (4, I64),
        (5, I32),
        (6, I64),
        (7, I32),
        (8, Kind::Struct(&COLUMN_ENCRYPTION)),
        (9, TEXT),
    ],
);

static COLUMN_METADATA: Shape = shape(
    "ColumnMetaData",
    &[
        (1, I32),
        (2, Kind::List(&I32)),
        (3, Kind::List(&TEXT)),
        (4, I32),
        (5, I64),
        (6, I64),
        (7, I64),
        (8, KEYS_AND_VALUES),
        (9, I64),
        (10, I64),
        (11, I64),
        (12, Kind::Struct(&STATISTICS)),
        (13, Kind::List(&Kind::Struct(&ENCODING_STATISTICS))),
        (14, I64),
        (15, I32),
        (16, Kind::Struct(&SIZE_STATISTICS)),
        (17, Kind::Struct(&PLACE_STATISTICS)),
    ],
);

static STATISTICS: Shape = shape(
    "Statistics",
    &[(1, TEXT), (2, TEXT), (3, I64), (4, I64), (5, TEXT), (6, TEXT), (7, Kind::Boolean), (8, Kind::Boolean), (9, I64)],
);

static ENCODING_STATISTICS: Shape = shape("PageEncodingStats", &[(1, I32), (2, I32), (3, I32)]);
static SIZE_STATISTICS: Shape = shape("SizeStatistics", &[(1, I64), (2, Kind::List(&I64)), (3, Kind::List(&I64))]);
static PLACE_STATISTICS: Shape = shape("GeospatialStatistics", &[(1, Kind::Struct(&BOX)), (2, Kind::List(&I32))]);
static BOX: Shape =
    shape("BoundingBox", &[(1, REAL), (2, REAL), (3, REAL), (4, REAL), (5, REAL), (6, REAL), (7, REAL), (8, REAL)]);

const KEYS_AND_VALUES: Kind = Kind::List(&Kind::Struct(&KEY_AND_VALUE));
static KEY_AND_VALUE: Shape = shape("KeyValue", &[(1, TEXT), (2, TEXT)]);

static COLUMN_ORDER: Shape = shape("ColumnOrder", &[(1, EMPTY), (2, EMPTY)]);

/// Encrypted files are refused, whatever this has.
static ENCRYPTION: Shape = shape("EncryptionAlgorithm", &[]);
static COLUMN_ENCRYPTION: Shape = shape("ColumnCryptoMetaData", &[(1, EMPTY), (2, Kind::Struct(&COLUMN_KEY))]);
static COLUMN_KEY: Shape = shape("EncryptionWithColumnKey", &[(1, Kind::List(&TEXT)), (2, TEXT)]);

/// A struct that says all by being there.
const EMPTY: Kind = Kind::Struct(&shape("Empty", &[]));

/// Makes sure that a struct has the fields of a shape, none of them twice, or others that are not known.
///
/// # Errors
/// When a value has another type than it must have, or a field comes again.
pub fn check(reader: &mut Reader<'_>, shape: &Shape) -> Result<()> {
    let mut seen: u64 = 0;
    reader.fields(|reader, number, code| {
        let Some(&(_, kind)) = shape.fields.iter().find(|(known, _)| *known == number) else { return Ok(false) };
        if seen & 1 << number != 0 {
            return Err(mismatch(format!("field {number} of {} comes twice", shape.name)));
        }
        seen |= 1 << number;
        if !fits(kind, code) {
            let name = shape.name;
            return Err(mismatch(format!("field {number} of {name} has a value of another type than it must have")));
        }
        check_value(reader, kind)?;
        Ok(true)
    })
}

fn fits(kind: Kind, code: u8) -> bool {
    match kind {
        Kind::Boolean => matches!(code, TRUE | FALSE),
        Kind::Plain(expected) => code == expected,
        Kind::Struct(_) => code == STRUCT,
        Kind::List(_) => code == LIST,
    }
}

fn check_value(reader: &mut Reader<'_>, kind: Kind) -> Result<()> {
    match kind {
        Kind::Boolean => Ok(()), // The value of a field is its type, and there are no lists of booleans.
        Kind::Plain(INTEGER) => reader.integer().map(drop),
        Kind::Plain(SHORT) => reader.short().map(drop),
        Kind::Plain(code) => reader.skip(code),
        Kind::Struct(shape) => check(reader, shape),
        Kind::List(items) => {
            let (size, code) = reader.list()?;
            if size > 0 && !fits(*items, code) {
                return Err(mismatch("a list of its metadata has items of another type than it must have".into()));
            }
            (0..size).try_for_each(|_| check_value(reader, *items))
        }
    }
}
