import ts from 'typescript';

/**
 * @typedef {object} Import
 * @property {string | undefined} specifier  undefined where it is computed
 * @property {boolean} typeOnly              leaves nothing in the output: `import type`, `export type`, and import types
 * @property {number} line
 */

/**
 * Everything in a file that names another module, in whatever form.
 * @param {ts.SourceFile} file
 * @returns {Import[]}
 */
export function importsOf(file) {
  /** @type {Import[]} */
  const found = [];
  /** @param {ts.Node} node @param {ts.Node | undefined} specifier @param {boolean} typeOnly */
  const add = (node, specifier, typeOnly) => {
    const text = specifier !== undefined && ts.isStringLiteralLike(specifier) ? specifier.text : undefined;
    found.push({ specifier: text, typeOnly, line: lineOf(file, node) });
  };

  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      // `import { type A }` is no type import: with verbatimModuleSyntax the module is still loaded.
      add(node, node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node, node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      add(node, node.moduleReference.expression, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node)) {
      add(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    } else if (ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name)) {
      add(node, node.name, true); // declare module '…'
    } else if (ts.isCallExpression(node) && loadsModule(node.expression)) {
      add(node, node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  /** Triple-slash references. @param {ts.FileReference} reference @param {string} prefix */
  const addReference = ({ fileName, pos }, prefix) =>
    found.push({
      specifier: prefix + fileName,
      typeOnly: true,
      line: file.getLineAndCharacterOfPosition(pos).line + 1,
    });
  for (const reference of file.typeReferenceDirectives) addReference(reference, '');
  for (const reference of file.referencedFiles) addReference(reference, './');
  return found;
}

/**
 * A call of import, require, require.resolve, module.require, import.meta.resolve or process.getBuiltinModule.
 * @param {ts.Expression} callee
 */
function loadsModule(callee) {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return callee.text === 'require' || callee.text === 'getBuiltinModule';
  if (!ts.isPropertyAccessExpression(callee)) return false;
  const { expression, name } = callee;
  if (name.text === 'require' || name.text === 'getBuiltinModule') return true;
  if (name.text !== 'resolve') return false;
  return ts.isMetaProperty(expression) || (ts.isIdentifier(expression) && expression.text === 'require');
}

/** @param {ts.SourceFile} file @param {ts.Node} node */
export function lineOf(file, node) {
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}
