//! Room on the stack for templates that call and include each other.
//!
//! Work comes in and is done on a thread whose stack is large enough for everything that the
//! limits on nesting allow; its result goes out.

use std::cell::Cell;
use std::thread;

/// The stack in bytes: 4 calls of `tpl`, in each 20 components, in each 10 included files, and
/// what one of them takes without optimisation. Only what is used becomes memory.
const STACK: usize = 128 << 20;

thread_local! {
    /// Whether this thread was started here.
    static ROOMY: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` with enough stack for any rendering, on a thread of its own unless the current one
/// is such a thread already. Whoever renders for many releases in a row wraps all of it once, and
/// saves a thread for each.
pub fn with_room<R: Send>(work: impl Fn() -> R + Sync) -> R {
    if ROOMY.get() {
        return work();
    }
    let start = || {
        ROOMY.set(true);
        work()
    };
    thread::scope(|threads| {
        let spawned = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(threads, start);
        match spawned.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // There are no more threads: the stack at hand is enough for all but odd charts.
            Err(_) => work(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_is_enough() {
        let here = thread::current().id();
        let (outer, inner) = with_room(|| {
            let outer = thread::current().id();
            (outer, with_room(|| thread::current().id()))
        });
        assert_ne!(outer, here);
        assert_eq!(outer, inner);
    }

    #[test]
    fn a_panic_is_passed_on() {
        let caught = std::panic::catch_unwind(|| with_room(|| panic!("passed on")));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"passed on"));
    }
}
