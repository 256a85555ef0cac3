import { parse, type AnyNode } from 'acorn';

/** Where counters stand: one for each way that the code can take. */
export interface Instrumented {
  readonly code: string;
  /** Of each counter. */
  readonly places: readonly string[];
  /** Texts and numbers that the code compares with or hands on: words for the mutator. */
  readonly literals: readonly (string | number)[];
}

interface Insertion {
  readonly at: number;
  readonly text: string;
  /** Of two at one place the wider node's comes first where it opens, last where it closes. */
  readonly rank: number;
}

/** Name of the counters inside a module; no source of ours has it. */
const NAME = '__fuzzCounters';

/**
 * Puts a counter into each function, branch, loop, case, handler and right-hand side of `&&`, `||`, `??`: `a && b` becomes
 * `a && (counters[7]++, b)`. The code does what it did before.
 * @param placeOf what the place of a counter is called, by its line (from 1) and column (from 0) in `source`
 */
export function instrument(source: string, placeOf: (line: number, column: number) => string): Instrumented {
  const insertions: Insertion[] = [];
  const places: string[] = [];
  const literals = new Set<string | number>();
  const tree = parse(source, { ecmaVersion: 'latest', sourceType: 'module', locations: true });

  const count = (node: AnyNode): string => {
    const { line, column } = node.loc!.start;
    places.push(placeOf(line, column));
    return `${NAME}[${places.length - 1}]++`;
  };
  const put = (at: number, text: string, rank: number): void => void insertions.push({ at, text, rank });
  const expression = (node: AnyNode): void => {
    const width = node.end - node.start;
    put(node.start, `(${count(node)}, `, -width);
    put(node.end, ')', width);
  };
  const statement = (node: AnyNode): void => {
    if (node.type === 'BlockStatement') return put(node.start + 1, ` ${count(node)};`, -Infinity);
    const width = node.end - node.start;
    put(node.start, `{ ${count(node)}; `, -width);
    put(node.end, ' }', width);
  };

  const visit = (node: AnyNode): void => {
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
        if (node.body) statement(node.body);
        break;
      case 'ArrowFunctionExpression':
        if (node.body.type === 'BlockStatement') statement(node.body);
        else expression(node.body);
        break;
      case 'IfStatement':
        statement(node.consequent);
        if (node.alternate) statement(node.alternate);
        break;
      case 'ConditionalExpression':
        expression(node.consequent);
        expression(node.alternate);
        break;
      case 'LogicalExpression':
        expression(node.right);
        break;
      case 'AssignmentExpression':
        if (['&&=', '||=', '??='].includes(node.operator)) expression(node.right);
        break;
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
        statement(node.body);
        break;
      case 'SwitchCase': {
        const [first] = node.consequent;
        if (first) put(first.start, `${count(first)}; `, -Infinity);
        break;
      }
      case 'CatchClause':
        statement(node.body);
        break;
      case 'Literal':
        if (typeof node.value === 'string' || typeof node.value === 'number') literals.add(node.value);
        break;
      default:
    }
    for (const child of childrenOf(node)) visit(child);
  };
  visit(tree);

  insertions.sort((a, b) => a.at - b.at || a.rank - b.rank);
  // Of two that end at one place, the narrower one closes first; what opens there comes behind all of that.
  let code = `const ${NAME} = globalThis[Symbol.for('ws.fuzz')].region(${JSON.stringify(places)}); `;
  let from = 0;
  for (const run of runs(insertions)) {
    const [{ at }] = run;
    code += source.slice(from, at);
    from = at;
    for (const { text } of run.filter(({ rank }) => rank > 0)) code += text;
    for (const { text } of run.filter(({ rank }) => rank <= 0)) code += text;
  }
  return { code: code + source.slice(from), places, literals: [...literals] };
}

function* runs(sorted: readonly Insertion[]): Generator<[Insertion, ...Insertion[]]> {
  let run: [Insertion, ...Insertion[]] | undefined;
  for (const insertion of sorted) {
    if (run && run[0].at === insertion.at) run.push(insertion);
    else {
      if (run) yield run;
      run = [insertion];
    }
  }
  if (run) yield run;
}

function* childrenOf(node: AnyNode): Generator<AnyNode> {
  for (const value of Object.values(node)) {
    for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) yield item;
  }
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
