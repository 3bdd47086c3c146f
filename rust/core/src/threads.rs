//! Pools of threads.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// Threads that are ready to work.
#[derive(Clone, Debug)]
pub struct Threads(Option<Arc<ThreadPool>>);

impl Threads {
    /// The calling thread. Waking another thread and waiting for it takes as long as rendering two rows.
    pub const CALLER: Threads = Threads(None);

    /// `count` threads. 0 means one for each processor, 1 the calling thread.
    ///
    /// # Errors
    /// When the operating system refuses to start the threads.
    pub fn new(count: usize) -> Result<Self, ThreadPoolBuildError> {
        if count == 1 { Ok(Threads::CALLER) } else { pool(count).map(|pool| Threads(Some(pool))) }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// The results of `work` for each item, in order. Each thread calls `begin` once and works on many items with its
    /// value.
    pub fn map<T: Send, W, R: Send>(
        &self,
        items: Vec<T>,
        begin: impl Fn() -> W + Send + Sync,
        work: impl Fn(&mut W, T) -> R + Send + Sync,
    ) -> Vec<R> {
        match &self.0 {
            Some(pool) if items.len() > 1 => pool.install(|| items.into_par_iter().map_init(begin, work).collect()),
            _ => {
                let mut begun = begin();
                items.into_iter().map(|item| work(&mut begun, item)).collect()
            }
        }
    }
}

/// A forked child does not have the threads of its parent. The process is part of the key, so the child makes its own
/// pools.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    process: u32,
    threads: usize,
}

/// Maximum number of pools kept. Programs use one or two numbers of threads.
const MAX_POOLS: usize = 8;

/// Maximum number of threads of a pool, whoever asks for more.
pub const MAX_THREADS: usize = 1024;

static POOLS: LazyLock<Mutex<HashMap<Key, Arc<ThreadPool>>>> = LazyLock::new(Mutex::default);

/// The number of threads to start: `count`, or for 0 what `RAYON_NUM_THREADS` says, or one for each processor.
fn started(count: usize, variable: Option<&str>) -> usize {
    let said = || variable.and_then(|text| text.parse().ok()).filter(|&number: &usize| number > 0);
    let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let asked = if count > 0 { count } else { said().unwrap_or_else(processors) };
    asked.min(MAX_THREADS)
}

fn pool(threads: usize) -> Result<Arc<ThreadPool>, ThreadPoolBuildError> {
    let threads = started(threads, std::env::var("RAYON_NUM_THREADS").ok().as_deref());
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let key = Key { process: std::process::id(), threads };
    if let Some(pool) = pools.get(&key) {
        return Ok(pool.clone());
    }
    if pools.keys().filter(|kept| kept.process == key.process).count() >= MAX_POOLS {
        // A pool that is at work finishes it. The pools of a forked child's parent must not be dropped.
        pools.retain(|kept, _| kept.process != key.process);
    }
    let name = |index| format!("penpal-{index}");
    let pool = Arc::new(ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build()?);
    pools.insert(key, pool.clone());
    Ok(pool)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    #[test]
    fn one_thread_is_the_one_that_calls() {
        let caller = std::thread::current().id();
        let threads = |count, items: Range<usize>| {
            let ids = Threads::new(count).unwrap().map(items.collect(), || (), |(), _| std::thread::current().id());
            ids.into_iter().all(|id| id == caller)
        };
        assert!(threads(1, 0..9));
        assert!(threads(3, 0..1), "nor does a single item need another");
        assert!(!threads(3, 0..9));
    }

    #[test]
    fn threads_have_a_limit() {
        assert_eq!(started(3, Some("5")), 3);
        assert_eq!(started(0, Some("5")), 5);
        assert_eq!(started(0, Some("99999")), MAX_THREADS);
        assert_eq!(started(99999, None), MAX_THREADS);
        for nothing in [None, Some("0"), Some("-1"), Some("many")] {
            assert!((1..=MAX_THREADS).contains(&started(0, nothing)), "{nothing:?}");
        }
    }

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for count in [0, 1, 2, 5] {
            let doubled = Threads::new(count).unwrap().map((0..1000).collect(), || (), |(), item: i32| item * 2);
            assert!(doubled.into_iter().eq((0..1000).map(|item| item * 2)), "{count} threads");
        }
    }
}
