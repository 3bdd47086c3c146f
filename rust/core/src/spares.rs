//! Working memory of threads, kept from call to call.

use std::sync::{Mutex, MutexGuard, TryLockError};

/// Maximum number of spares kept.
const MAX_SPARES: usize = 64;

/// Working memory that no thread uses at the moment.
pub struct Spares<T>(Mutex<Vec<T>>);

impl<T> Spares<T> {
    /// An empty list of spares.
    pub const fn new() -> Self {
        Spares(Mutex::new(Vec::new()))
    }

    /// A spare, or a new one from `make`.
    pub fn borrow(&self, make: impl FnOnce() -> T) -> Loan<'_, T> {
        let spare = self.list().and_then(|mut list| list.pop());
        Loan { spares: self, lent: Some(spare.unwrap_or_else(make)) }
    }

    /// The list, or `None` if the lock cannot be taken: the process was forked while another thread held it.
    fn list(&self) -> Option<MutexGuard<'_, Vec<T>>> {
        const ATTEMPTS: usize = 1000;
        for _ in 0..ATTEMPTS {
            match self.0.try_lock() {
                Ok(list) => return Some(list),
                Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
        None
    }
}

/// A spare on loan. Dropping it gives it back.
pub struct Loan<'a, T> {
    spares: &'a Spares<T>,
    lent: Option<T>,
}

impl<T> Loan<'_, T> {
    /// The spare.
    pub fn get(&mut self) -> &mut T {
        self.lent.as_mut().expect("a loan holds its spare until it is dropped")
    }
}

impl<T> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        // A panic may have left it in a broken state.
        if let Some(lent) = self.lent.take().filter(|_| !std::thread::panicking())
            && let Some(mut list) = self.spares.list()
            && list.len() < MAX_SPARES
        {
            list.push(lent);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn what_is_given_back_is_lent_again() {
        let spares = Spares::new();
        spares.borrow(|| vec![1]).get().push(2);
        let mut again = spares.borrow(Vec::new);
        assert_eq!(again.get(), &[1, 2]);
        assert_eq!(spares.borrow(Vec::new).get(), &[], "that one is on loan");
    }

    #[test]
    fn what_a_panic_left_is_not_lent_again() {
        let spares = Spares::new();
        let work = || {
            let mut lent = spares.borrow(Vec::new);
            lent.get().push(1);
            panic!("half done");
        };
        assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
        assert_eq!(spares.borrow(Vec::<i32>::new).get(), &[]);
    }

    #[test]
    fn a_lock_that_nobody_lets_go_of_stops_nothing() {
        let spares = Spares::new();
        let held = spares.0.lock();
        assert_eq!(spares.borrow(|| 1).get(), &1);
        drop(held);
        assert_eq!(spares.borrow(|| 2).get(), &2, "the first could not be given back");
    }
}
