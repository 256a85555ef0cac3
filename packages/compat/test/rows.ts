import { describe, test } from '@jest/globals';

/** One call of an old library. Of a table of them the tests are made, and the page of docs/migrate. */
export interface Row {
  /** The call as its users wrote it. */
  readonly old: string;
  /** What the adapter does about it, where it is not just the same. */
  readonly adapter?: string;
  /** How it is said in the core. */
  readonly core: string;
  /** Private in the old library: the page leaves it out, and tests of the core show its behaviour. */
  readonly internal?: true;
}

/** Rows by their ids. */
export type Rows = Readonly<Record<string, Row>>;

/** Rows that belong together, as on the page. */
export interface Section {
  readonly title: string;
  readonly rows: Rows;
}

/** All of one library. */
export interface Migration {
  /** Of the old library. */
  readonly name: string;
  /** The entry of @ws/compat. */
  readonly entry: string;
  /** What one has to know first; Markdown. */
  readonly introduction: string;
  readonly sections: readonly Section[];
  /** What is different on purpose, and the way back where there is one; Markdown. */
  readonly differences: string;
}

type Proof = () => void | Promise<void>;

/** What is shown of a row: one test, or several by name. */
type Proofs = Proof | Readonly<Record<string, Proof>>;

/** The tests of a section, by id: the compiler misses those that are not there. */
export function prove<Of extends Rows>(rows: Of, proofs: { readonly [Id in keyof Of]: Proofs }): void {
  for (const [id, { old }] of Object.entries(rows)) {
    const shown = (proofs as Readonly<Record<string, Proofs>>)[id];
    const title = `${id} ${old}`;
    if (typeof shown === 'function') test(title, shown);
    else
      describe(title, () => {
        for (const [name, proof] of Object.entries(shown ?? {})) test(name, proof);
      });
  }
}

const LEGEND =
  'In the tables, "the same" is the same name with the same meaning. The core is `@ws/server`, `@ws/client` and what they stand on: its words are for programs that move on, and for new ones. Every row is a test, which has its number.';

/** The page of docs/migrate. */
export function page({ name, entry, introduction, sections, differences }: Migration): string {
  const parts = [`# From \`${name}\` to \`${entry}\``, introduction.trim(), LEGEND];
  for (const { title, rows } of sections) {
    const lines = Object.entries(rows)
      .filter(([, row]) => row.internal !== true)
      .map(([id, { old, adapter = 'the same', core }]) => `| ${[old, adapter, core, id].map(cell).join(' | ')} |`);
    if (lines.length > 0)
      parts.push(
        `## ${title}`,
        ['| was | in the adapter | in the core | row |', '| --- | --- | --- | --- |', ...lines].join('\n'),
      );
  }
  return `${[...parts, '## What is different', differences.trim()].join('\n\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
