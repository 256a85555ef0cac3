import type { MakeTarget } from '../target.js';

/** Loaded one by one, after counting has begun. */
export const TARGETS: Readonly<Record<string, () => Promise<{ readonly makeTarget: MakeTarget }>>> = {
  frame: () => import('./frame.js'),
  handshake: () => import('./handshake.js'),
  negotiation: () => import('./negotiation.js'),
  inflate: () => import('./inflate.js'),
  duplex: () => import('./duplex.js'),
  connection: () => import('./connection.js'),
};
