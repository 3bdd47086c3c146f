//! Lists and structs from repetition and definition levels.

use super::bits::Validity;
use super::nesting::{Kind, Level, Nesting};
use crate::error::{Result, mismatch};

/// What a level of some rows holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Items {
    /// Of lists: where each begins, and the end of the last.
    pub offsets: Vec<i32>,
    pub validity: Validity,
}

/// The lists and structs of some rows, as one of their coordinates tells them.
pub struct Lists<'a> {
    nesting: &'a Nesting,
    /// The definition level at which the coordinate is not null.
    full: u32,
    pub levels: Vec<Items>,
    pub rows: usize,
    /// Number of entries, null or not.
    pub entries: usize,
    /// Which coordinates are not null.
    pub values: Validity,
    /// The definition level before.
    before: Option<u32>,
}

impl<'a> Lists<'a> {
    pub fn new(nesting: &'a Nesting, axis: usize) -> Self {
        let begin = |level: &Level| if level.kind == Kind::List { vec![0] } else { Vec::new() };
        let levels =
            nesting.levels.iter().map(|level| Items { offsets: begin(level), validity: Validity::default() }).collect();
        let full = nesting.axes[axis].valid;
        Lists { nesting, full, levels, rows: 0, entries: 0, values: Validity::default(), before: None }
    }

    /// Whether the coordinate of an entry is not null.
    pub fn is_full(&self, definition: u32) -> bool {
        definition == self.full
    }

    /// Adds `count` entries of the same levels.
    pub fn add(&mut self, repetition: u32, definition: u32, count: usize) -> Result<()> {
        self.entries += count;
        if repetition == self.nesting.lists && definition == self.full {
            return self.add_points(count);
        }
        (0..count).try_for_each(|_| self.add_one(repetition, definition))
    }

    /// Adds points that are not null to the last stroke.
    fn add_points(&mut self, count: usize) -> Result<()> {
        self.check_continues(self.nesting.lists, self.full)?;
        for (level, items) in self.nesting.levels.iter().zip(&mut self.levels) {
            if level.depth == self.nesting.lists {
                items.validity.push(count, true);
            } else if level.depth + 1 == self.nesting.lists && level.kind == Kind::List {
                lengthen(&mut items.offsets, count)?;
            }
        }
        self.values.push(count, true);
        self.before = Some(self.full);
        Ok(())
    }

    fn add_one(&mut self, repetition: u32, definition: u32) -> Result<()> {
        if repetition > self.nesting.lists || definition > self.full {
            return Err(mismatch("a level is out of range".into()));
        }
        if repetition == 0 {
            self.rows += 1;
        } else {
            self.check_continues(repetition, definition)?;
        }
        for (level, items) in self.nesting.levels.iter().zip(&mut self.levels) {
            let is_list = level.kind == Kind::List;
            if definition < level.inside || repetition > level.depth + u32::from(is_list) {
                continue;
            }
            if repetition <= level.depth {
                items.validity.push(1, definition >= level.valid);
                if is_list {
                    items.offsets.push(items.offsets.last().copied().unwrap_or(0));
                }
            }
            if is_list && definition >= level.filled {
                lengthen(&mut items.offsets, 1)?;
            }
        }
        if definition >= self.nesting.inside {
            self.values.push(1, definition >= self.full);
        }
        self.before = Some(definition);
        Ok(())
    }

    /// Makes sure that a list that goes on has begun and has an item before and now.
    fn check_continues(&self, repetition: u32, definition: u32) -> Result<()> {
        let lists = self.nesting.levels.iter().filter(|level| level.kind == Kind::List);
        let filled = lists.map(|level| level.filled).nth(repetition as usize - 1);
        match (filled, self.before) {
            (Some(filled), Some(before)) if definition.min(before) >= filled => Ok(()),
            _ => Err(mismatch("a list goes on before it begins".into())),
        }
    }
}

fn lengthen(offsets: &mut [i32], count: usize) -> Result<()> {
    let end = offsets.last_mut().and_then(|end| {
        *end = end.checked_add(i32::try_from(count).ok()?)?;
        Some(())
    });
    end.ok_or_else(|| mismatch("a row has too many points".into()))
}
