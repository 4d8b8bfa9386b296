use std::alloc::{GlobalAlloc, Layout};

use std::sync::{Mutex, PoisonError};

use super::{BLOCK, Buffers, LARGE, REGION, UNIT};

/// The region is the process's: one test must not fill it while another asks for a buffer of it.
static ALONE: Mutex<()> = Mutex::new(());

/// A buffer whose every byte says whose it is.
struct Owned {
    pointer: *mut u8,
    layout: Layout,
    mark: u8,
}

impl Owned {
    fn new(size: usize, align: usize, mark: u8, zeroed: bool) -> Owned {
        let layout = Layout::from_size_align(size, align).unwrap();
        // SAFETY: no size is zero here.
        let pointer =
            unsafe { if zeroed { Buffers.alloc_zeroed(layout) } else { Buffers.alloc(layout) } };
        assert!(!pointer.is_null() && pointer.addr() % align == 0);
        let mut owned = Owned { pointer, layout, mark };
        assert!(!zeroed || owned.bytes().iter().all(|byte| *byte == 0));
        owned.bytes().fill(mark);
        owned
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the buffer is this one's own, and was filled.
        unsafe { std::slice::from_raw_parts_mut(self.pointer, self.layout.size()) }
    }

    fn resize(&mut self, size: usize) {
        let kept = size.min(self.layout.size());
        // SAFETY: by the layout it was made by; no size is zero.
        self.pointer = unsafe { Buffers.realloc(self.pointer, self.layout, size) };
        self.layout = Layout::from_size_align(size, self.layout.align()).unwrap();
        let mark = self.mark;
        assert!(self.bytes().iter().take(kept).all(|byte| *byte == mark), "kept what it held");
        self.bytes().fill(mark);
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let mark = self.mark;
        assert!(self.bytes().iter().all(|byte| *byte == mark), "nobody else wrote here");
        // SAFETY: by the layout it was made by, once.
        unsafe { Buffers.dealloc(self.pointer, self.layout) };
    }
}

/// *Scenario:* four threads make, resize and free buffers around all borders, small and large.
/// *Guarantees:* each holds what its owner wrote, is aligned, and keeps its bytes when it is resized.
#[test]
fn buffers_are_their_owners() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            scope.spawn(move || {
                let mut random = u64::from(thread) + 1;
                let mut next = move |below: usize| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (random >> 33) as usize % below
                };
                let borders = [1, 100, LARGE - 1, LARGE, LARGE + 1, 3 * UNIT, BLOCK, 2 * BLOCK + 1];
                let mut held = Vec::new();
                for step in 0..600 {
                    let size = borders[next(borders.len())] + next(2) * next(UNIT);
                    match next(4) {
                        0 if held.len() < 12 => {
                            let align = [1, 8, 4096, UNIT][next(4)];
                            let mark = thread << 6 | (step % 63 + 1) as u8;
                            held.push(Owned::new(size, align, mark, next(2) == 0));
                        }
                        1 | 2 if !held.is_empty() => {
                            let at = next(held.len());
                            held[at].resize(size);
                        }
                        _ if !held.is_empty() => drop(held.swap_remove(next(held.len()))),
                        _ => {}
                    }
                }
            });
        }
    });
}

/// *Scenario:* one buffer that is larger than the region, and one with a rare alignment.
/// *Guarantees:* they come from elsewhere; a large one comes from the region, and grows in place.
#[test]
fn what_does_not_fit_comes_from_elsewhere() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let layout = Layout::from_size_align(BLOCK, 2 * UNIT).unwrap();
    // SAFETY: made and freed by one layout; nothing is written.
    unsafe {
        let pointer = Buffers.alloc(layout);
        assert!(REGION.get().is_none_or(|region| region.unit(pointer).is_none()));
        Buffers.dealloc(pointer, layout);
        let layout = Layout::from_size_align(super::BLOCKS * BLOCK + 1, 1).unwrap();
        let pointer = Buffers.alloc(layout);
        assert!(!pointer.is_null() && REGION.get().unwrap().unit(pointer).is_none());
        Buffers.dealloc(pointer, layout);
    }
    let mut buffer = Owned::new(LARGE, 1, 7, false);
    let before = buffer.pointer;
    assert!(REGION.get().unwrap().unit(before).is_some());
    buffer.resize(BLOCK);
    assert_eq!(buffer.pointer, before);
}
