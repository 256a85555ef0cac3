import ts from 'typescript';
import { lineOf } from './imports.mjs';
import { PORTABLE_GLOBALS } from './table.mjs';

/** @typedef {import('./violation.mjs').Violation} Violation */

// Declaring these as a type alone is already a sign that the code leans on Node.
const NODE_TYPES = ['Buffer', 'NodeJS', 'process'];

/**
 * Names that a portable file takes from its surroundings and that are neither ECMAScript nor in PORTABLE_GLOBALS. Scopes are the
 * compiler's own: a parameter called `process` is nobody's global, and a global stays one where runtime.d.ts declares it.
 * @param {readonly ts.SourceFile[]} files  of `program`
 * @param {ts.Program} program
 * @returns {Violation[]}
 */
export function foreignGlobals(files, program) {
  const checker = program.getTypeChecker();
  /** @type {Violation[]} */
  const violations = [];
  for (const file of files) {
    /** @param {ts.Node} node @param {string} name */
    const report = (node, name) =>
      violations.push({
        file: file.fileName,
        line: lineOf(file, node),
        message: `\`${name}\` is not there in every runtime: a portable entry may use ECMAScript and ${PORTABLE_GLOBALS.join(', ')}`,
      });

    /** @param {ts.Node} node */
    const visit = (node) => {
      if (ts.isIdentifier(node) && isReference(node)) {
        if (node.text === 'globalThis') checkGlobalThis(node);
        else if (isForeign(node)) report(node, node.text);
      } else if (isAmbientValue(node)) {
        for (const name of declaredNames(node)) if (!PORTABLE_GLOBALS.includes(name)) report(node, name);
      } else if (
        (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) &&
        NODE_TYPES.includes(node.name.text)
      ) {
        report(node, node.name.text);
      }
      ts.forEachChild(node, visit);
    };

    /** globalThis.crypto is as good as crypto; anything that hides the name is not. @param {ts.Identifier} node */
    const checkGlobalThis = (node) => {
      /** @type {ts.Node} */
      let outer = node;
      while (
        ts.isAsExpression(outer.parent) ||
        ts.isParenthesizedExpression(outer.parent) ||
        ts.isNonNullExpression(outer.parent)
      ) {
        outer = outer.parent;
      }
      const { parent } = outer;
      if (ts.isPropertyAccessExpression(parent) && PORTABLE_GLOBALS.includes(parent.name.text)) return;
      report(node, ts.isPropertyAccessExpression(parent) ? `globalThis.${parent.name.text}` : 'globalThis');
    };

    /** @param {ts.Identifier} node */
    const isForeign = (node) => {
      if (['undefined', 'arguments', 'const'].includes(node.text)) return false;
      const symbol = ts.isShorthandPropertyAssignment(node.parent)
        ? checker.getShorthandAssignmentValueSymbol(node.parent)
        : checker.getSymbolAtLocation(node);
      return symbol === undefined || (symbol.declarations ?? []).length === 0;
    };

    visit(file);
    for (const { fileName, pos } of file.libReferenceDirectives) {
      const line = file.getLineAndCharacterOfPosition(pos).line + 1;
      violations.push({ file: file.fileName, line, message: `lib "${fileName}" is not there in every runtime` });
    }
  }
  return violations;
}

/**
 * `declare const x`, `declare function x` and the like, or any of them in a .d.ts: a claim about the surroundings.
 * @param {ts.Node} node
 * @returns {node is ts.VariableStatement | ts.FunctionDeclaration | ts.ClassDeclaration | ts.ModuleDeclaration}
 */
function isAmbientValue(node) {
  const isDeclaration =
    ts.isVariableStatement(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isModuleDeclaration(node);
  if (
    !isDeclaration ||
    (ts.isModuleDeclaration(node) && (ts.isStringLiteral(node.name) || node.name.text === 'global'))
  )
    return false;
  const declared = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword) ?? false;
  return declared || node.getSourceFile().isDeclarationFile || isInsideDeclareGlobal(node);
}

/** @param {ts.Node} node */
function isInsideDeclareGlobal({ parent }) {
  return ts.isModuleBlock(parent) && ts.isIdentifier(parent.parent.name) && parent.parent.name.text === 'global';
}

/** @param {ts.VariableStatement | ts.FunctionDeclaration | ts.ClassDeclaration | ts.ModuleDeclaration} node */
function declaredNames(node) {
  if (!ts.isVariableStatement(node)) return node.name === undefined ? [] : [node.name.text];
  return node.declarationList.declarations.map(({ name }) => name.getText());
}

/**
 * Whether an identifier stands for a value or type in scope, and not for a property, a label or its own declaration.
 * @param {ts.Identifier} node
 */
function isReference(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isQualifiedName(parent)) return parent.left === node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (
    ts.isImportSpecifier(parent) ||
    ts.isExportSpecifier(parent) ||
    ts.isImportClause(parent) ||
    ts.isNamespaceImport(parent)
  )
    return false;
  if (ts.isNamespaceExport(parent) || ts.isMetaProperty(parent) || ts.isImportTypeNode(parent)) return false;
  if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent)) return false;
  if (ts.isBindingElement(parent) && parent.propertyName === node) return false;
  if (ts.isNamedTupleMember(parent) || ts.isTypePredicateNode(parent)) return false;
  return !('name' in parent && parent.name === node);
}
