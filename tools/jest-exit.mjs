// Global teardown of every jest run: a run that leaves something open fails in bounded time, instead of hanging until somebody ends it.
const GRACE_MS = 20_000;

export default function teardown() {
  setTimeout(() => {
    const kinds = [...new Set(process.getActiveResourcesInfo())].join(', ');
    console.error(
      `jest is done, but the process has not ended for ${GRACE_MS / 1000} s: a test left something open (${kinds})`,
    );
    process.exit(1);
  }, GRACE_MS).unref();
}
