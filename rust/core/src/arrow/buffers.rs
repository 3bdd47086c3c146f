//! Addresses and nulls of Arrow buffers.

use std::ops::Range;

use arrow_buffer::NullBuffer;

/// The addresses of bytes.
pub fn addresses(bytes: &[u8]) -> Range<usize> {
    let range = bytes.as_ptr_range();
    range.start as usize..range.end as usize
}

/// The addresses of a null bitmap.
pub fn null_addresses(nulls: &NullBuffer) -> Range<usize> {
    addresses(nulls.validity())
}

/// Index of the first null in a range. Indices past the end of the buffer count as valid.
pub fn first_null(nulls: Option<&NullBuffer>, range: Range<usize>) -> Option<usize> {
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0)?;
    let end = range.end.min(nulls.len());
    (range.start..end).find(|&index| nulls.is_null(index))
}
