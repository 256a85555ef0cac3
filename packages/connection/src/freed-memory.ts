/** The most that glibc goes by, less the header of what it hands out. */
const BYTES = 32 * 2 ** 20 - 8192;

let isDone = false;

/**
 * By itself glibc gives memory back to the system whenever 128 KiB at the end of its heap are free, and takes all that is larger than that from the system
 * directly: what each message's memory costs then is a page fault for every 4 KiB. Both bounds rise with the largest block of the latter kind that is freed
 * (mallopt(3), M_MMAP_THRESHOLD), up to 32 and 64 MiB: so one is taken and freed, without being touched. A bound that is set in the environment stays.
 * See docs/decisions/freed-memory.md.
 */
export function keepFreedMemory(): void {
  if (isDone || process.platform !== 'linux') return;
  isDone = true;
  void new ArrayBuffer(BYTES); // garbage now
}
