import type { Case, FrameCase, RequestCase, ResponseCase } from './case.js';

/** A row as the tables write it: what is the same in a whole table is filled in here. */
export type FrameRow = Omit<FrameCase, 'kind' | 'role'> & { readonly role?: FrameCase['role'] };
export type RequestRow = Omit<RequestCase, 'kind' | 'role' | 'then'> & { readonly then?: RequestCase['then'] };
export type ResponseRow = Omit<ResponseCase, 'kind' | 'role' | 'then'> & { readonly then?: ResponseCase['then'] };

const under = <C extends Case>(theme: string, testCase: C): C => ({ ...testCase, id: `${theme}/${testCase.id}` });

export const frameTable = (theme: string, rows: readonly FrameRow[]): FrameCase[] =>
  rows.map((row) => under(theme, { kind: 'frames', role: 'both', ...row }));

export const requestTable = (theme: string, rows: readonly RequestRow[]): RequestCase[] =>
  rows.map((row) => under(theme, { kind: 'request', role: 'server', then: 'wait', ...row }));

export const responseTable = (theme: string, rows: readonly ResponseRow[]): ResponseCase[] =>
  rows.map((row) => under(theme, { kind: 'response', role: 'client', then: 'wait', ...row }));
