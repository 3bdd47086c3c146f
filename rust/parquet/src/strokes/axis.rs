//! One coordinate of the points of some rows.

use super::bits::Validity;
use super::lists::Lists;
use super::nesting::Nesting;
use super::numbers::Number;
use super::pages::{EncodedLevels, Page, Pages};
use crate::error::{Result, mismatch};

/// Entries that may follow once there are enough points: those of a row that is not huge.
const MAX_OF_A_ROW: usize = 4 << 20;

/// Bytes of pages that may be held, as their levels are compared with those of the other coordinate: in any case, and
/// for each entry. A page that is full has at most 10 for each.
const HELD_BYTES: usize = 32 << 20;
const HELD_BYTES_OF_AN_ENTRY: usize = 16;

/// What a page takes beside its bytes.
const PAGE_BYTES: usize = 256;

/// Reads a coordinate of the points of a row group.
#[derive(Clone)]
pub struct AxisReader<T> {
    pages: Pages<T>,
    page: Option<Page>,
    axis: usize,
    /// Number of values that were read last.
    before: usize,
}

/// A coordinate of the points of some rows, and the lists that it tells of.
pub struct AxisRows<'a, T> {
    pub lists: Lists<'a>,
    /// A number for each point, 0 for null.
    pub numbers: Vec<T>,
    steps: Vec<Step>,
}

/// What was read from one page.
struct Step {
    /// The levels of the page, if this is its beginning.
    begins: Option<EncodedLevels>,
    /// Number of entries, null or not, and of values.
    entries: usize,
    valid: usize,
    /// Number of points of the rows so far.
    points: usize,
}

impl<T: Number> AxisReader<T> {
    pub fn new(pages: Pages<T>, axis: usize) -> Self {
        AxisReader { pages, page: None, axis, before: 0 }
    }

    /// Reads up to `rows` whole rows, and no more after `points` points. There are fewer only at the end.
    ///
    /// # Errors
    /// When a page is wrong, or a row is huge.
    pub fn read<'a>(&mut self, nesting: &'a Nesting, rows: usize, points: usize) -> Result<AxisRows<'a, T>> {
        let mut lists = Lists::new(nesting, self.axis);
        let mut numbers = self.room();
        let mut steps = Vec::new();
        let mut held = 0;
        loop {
            let begins = self.turn_page()?;
            let Some(page) = &mut self.page else { break };
            held += if begins.is_some() { PAGE_BYTES + page.bytes } else { 0 };
            if held > HELD_BYTES + HELD_BYTES_OF_AN_ENTRY * lists.entries {
                return Err(mismatch("its pages are large for what they hold".into()));
            }
            let (first, left) = (lists.values.count(), page.left);
            let (is_enough, valid) = read_levels(page, &mut lists, rows, points)?;
            page.numbers.take(valid, self.pages.dictionary(), &mut numbers)?;
            let points = lists.values.count();
            spread(&mut numbers, first, points, &lists.values);
            steps.push(Step { begins, entries: left - page.left, valid, points });
            if is_enough {
                break;
            }
        }
        self.before = numbers.len();
        Ok(AxisRows { lists, numbers, steps })
    }

    /// Reads the same rows as another coordinate that has the same levels in its pages, without decoding these again.
    /// `None` if there are other levels.
    pub fn read_like(&mut self, other: &AxisRows<'_, T>) -> Result<Option<Vec<T>>> {
        let mut numbers = self.room();
        for step in &other.steps {
            let first = numbers.len();
            let begins = self.turn_page()?;
            let Some(page) = &mut self.page else { return Ok(None) };
            if begins != step.begins {
                return Ok(None);
            }
            page.left -= step.entries;
            page.numbers.take(step.valid, self.pages.dictionary(), &mut numbers)?;
            spread(&mut numbers, first, step.points, &other.lists.values);
        }
        if other.steps.is_empty() {
            self.turn_page()?;
            if self.page.is_some() {
                return Ok(None);
            }
        }
        self.before = numbers.len();
        Ok(Some(numbers))
    }

    /// Passes over the levels of what `read_like` has read, so that `read` goes on from there.
    pub fn pass_levels(&mut self) -> Result<()> {
        self.page.as_mut().map_or(Ok(()), Page::pass_levels)
    }

    /// Goes to the next page if there is nothing left of this one, and returns the levels of the new page.
    fn turn_page(&mut self) -> Result<Option<EncodedLevels>> {
        if let Some(page) = &self.page {
            if page.left > 0 {
                return Ok(None);
            }
            page.numbers.check_end::<T>()?;
        }
        self.page = self.pages.next()?;
        Ok(self.page.as_ref().map(|page| page.levels.clone()))
    }

    fn room(&self) -> Vec<T> {
        Vec::with_capacity(self.before + self.before / 8)
    }
}

/// Reads levels up to the end of the page, or the end of the wanted rows. Returns whether these are complete, and the
/// number of values that are not null.
fn read_levels(page: &mut Page, lists: &mut Lists<'_>, rows: usize, points: usize) -> Result<(bool, usize)> {
    let mut valid = 0;
    let most = points.saturating_add(MAX_OF_A_ROW);
    while page.left > 0 {
        let (repetition, repeated) = page.repetition.run()?;
        let (definition, defined) = page.definition.run()?;
        let mut count = repeated.min(defined).min(page.left);
        if repetition == 0 {
            if lists.rows >= rows || (lists.rows > 0 && lists.values.count() >= points) {
                return Ok((true, valid));
            }
            count = 1;
        }
        if lists.entries + count > most {
            return Err(mismatch("a row is huge".into()));
        }
        lists.add(repetition, definition, count)?;
        if lists.is_full(definition) {
            valid += count;
        }
        page.repetition.skip(count);
        page.definition.skip(count);
        page.left -= count;
    }
    Ok((false, valid))
}

/// Moves the numbers from the index `first` on to their places among nulls, up to `end`.
fn spread<T: Number>(numbers: &mut Vec<T>, first: usize, end: usize, validity: &Validity) {
    let mut from = numbers.len();
    numbers.resize(end.max(from), T::default());
    for to in (first..end).rev() {
        if from == to + 1 {
            return; // No nulls are left.
        }
        numbers[to] = if validity.get(to) && from > first {
            from -= 1;
            numbers[from]
        } else {
            T::default()
        };
    }
}
