//! Numbers of any type as float32 or float64.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, downcast_integer};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::buffers::{addresses, null_addresses};
use crate::coordinates::Coordinates;

/// Numbers with their nulls. float32 and float64 share the memory of the Arrow array.
#[derive(Clone, Debug)]
pub struct Numbers {
    values: Values,
    pub nulls: Option<NullBuffer>,
}

#[derive(Clone, Debug)]
enum Values {
    Float32(ScalarBuffer<f32>),
    Float64(ScalarBuffer<f64>),
}

/// Whether a type is one of the float or integer types.
pub fn is_number(kind: &DataType) -> bool {
    kind.is_floating() || kind.is_integer()
}

impl Numbers {
    /// Opens the numbers of an array in `range`, which must not be out of bounds. Types other than float32 and float64
    /// are copied as float64, which rounds integers beyond 2^53. `None` if the array does not hold numbers.
    pub fn new(array: &ArrayRef, range: Range<usize>) -> Option<Self> {
        macro_rules! integers {
            ($kind:ty, $array:expr) => {
                Values::Float64($array.as_primitive::<$kind>().values().iter().map(|&value| value as f64).collect())
            };
        }
        let used = array.slice(range.start, range.len());
        let values = downcast_integer! {
            used.data_type() => (integers, used),
            DataType::Float16 => {
                Values::Float64(used.as_primitive::<Float16Type>().values().iter().map(|value| value.to_f64()).collect())
            }
            DataType::Float32 => Values::Float32(used.as_primitive::<Float32Type>().values().clone()),
            DataType::Float64 => Values::Float64(used.as_primitive::<Float64Type>().values().clone()),
            _ => return None,
        };
        Some(Numbers { values, nulls: used.nulls().cloned() })
    }

    /// Numbers without nulls.
    pub fn copied(values: Vec<f64>) -> Self {
        Numbers { values: Values::Float64(values.into()), nulls: None }
    }

    pub fn values(&self) -> Coordinates<'_> {
        match &self.values {
            Values::Float32(values) => Coordinates::Float32(values),
            Values::Float64(values) => Coordinates::Float64(values),
        }
    }

    /// The addresses that the numbers are read from.
    pub fn memory(&self) -> impl Iterator<Item = Range<usize>> {
        let values = match &self.values {
            Values::Float32(values) => addresses(values.inner().as_slice()),
            Values::Float64(values) => addresses(values.inner().as_slice()),
        };
        std::iter::once(values).chain(self.nulls.as_ref().map(null_addresses))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Float16Type;
    use arrow_array::{Float16Array, Float32Array, Float64Array, Int64Array, PrimitiveArray, UInt64Array};

    use super::*;

    fn read(array: ArrayRef) -> Vec<f64> {
        let numbers = Numbers::new(&array, 0..array.len()).unwrap();
        (0..array.len()).map(|index| numbers.values().get(index).unwrap()).collect()
    }

    #[test]
    fn copies_round_like_rust() {
        let signed = [i64::MIN, i64::MIN + 1, -(1 << 53) - 1, -1, 0, (1 << 53) + 1, (1 << 62) + 257, i64::MAX];
        assert_eq!(read(Arc::new(Int64Array::from(signed.to_vec()))), signed.map(|value| value as f64));
        let unsigned = [0, (1 << 53) + 1, (1 << 63) + 1025, u64::MAX - 1, u64::MAX];
        assert_eq!(read(Arc::new(UInt64Array::from(unsigned.to_vec()))), unsigned.map(|value| value as f64));
    }

    #[test]
    fn every_float16_is_kept() {
        let halves: PrimitiveArray<Float16Type> =
            Float16Array::from_iter_values((0..=u16::MAX).map(half::f16::from_bits));
        let expected = halves.values().iter().map(|value| value.to_f64()).collect::<Vec<_>>();
        let found = read(Arc::new(halves.clone()));
        assert!(found.iter().zip(&expected).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())));
    }

    #[test]
    fn floats_are_not_copied() {
        let arrays: [ArrayRef; 2] =
            [Arc::new(Float32Array::from(vec![1.0; 9])), Arc::new(Float64Array::from(vec![1.0; 9]))];
        for (array, size) in arrays.iter().zip([4, 8]) {
            let start = array.to_data().buffers()[0].as_ptr() as usize;
            let memory = Numbers::new(array, 2..7).unwrap().memory().next();
            assert_eq!(memory, Some(start + 2 * size..start + 7 * size));
        }
    }

    #[test]
    fn only_the_range_is_copied() {
        let array: ArrayRef = Arc::new(Int64Array::from_iter((0..100).map(|value| (value % 3 > 0).then_some(value))));
        let numbers = Numbers::new(&array, 40..45).unwrap();
        assert_eq!(numbers.memory().next().unwrap().len(), 5 * 8);
        assert_eq!((numbers.values().get(0), numbers.values().get(5)), (Some(40.0), None));
        assert!(numbers.nulls.unwrap().is_null(2));
    }
}
