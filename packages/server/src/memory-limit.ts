import { totalmem } from 'node:os';

/** Of what the process may use: the rest is for the program, for the kernel's buffers are not counted, and for garbage. */
const SHARE = 4;

/** A quarter of what a container, or else the machine, has. */
export function defaultMemoryLimit(constrained = constrainedMemory(), total = totalmem()): number {
  // Without a constraint, it is 0, or more than there is: 2 ** 63 and the like.
  const available = constrained !== undefined && constrained > 0 && constrained < total ? constrained : total;
  return Math.max(1, Math.floor(available / SHARE));
}

/** Not there in every version of Node 20, nor elsewhere. */
function constrainedMemory(): number | undefined {
  const { constrainedMemory: ask } = process as { readonly constrainedMemory?: () => number | undefined };
  return ask?.call(process);
}
