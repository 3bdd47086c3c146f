//! Thread pools, one for each number of threads that was asked for.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// A forked child has none of its parent's threads, so the process is part of the key and the child makes its own pools.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    process: u32,
    threads: usize,
}

/// Most pools that are kept; programs use one or two numbers of threads.
const MOST_POOLS: usize = 8;

static POOLS: LazyLock<Mutex<HashMap<Key, Arc<ThreadPool>>>> = LazyLock::new(Mutex::default);

/// The pool of so many threads; 0 means one for each processor.
///
/// # Errors
/// When the operating system refuses to start the threads.
pub fn pool(threads: usize) -> Result<Arc<ThreadPool>, ThreadPoolBuildError> {
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let key = Key { process: std::process::id(), threads };
    if let Some(pool) = pools.get(&key) {
        return Ok(pool.clone());
    }
    if pools.len() >= MOST_POOLS {
        // A pool at work goes on until it is done. A forked child leaves those of its parent alone.
        pools.retain(|kept, _| kept.process != key.process);
    }
    let name = |index| format!("penpal-{index}");
    let pool = Arc::new(ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build()?);
    pools.insert(key, pool.clone());
    Ok(pool)
}
