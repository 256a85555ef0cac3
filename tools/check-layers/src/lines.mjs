import ts from 'typescript';

/**
 * Lines of the JavaScript that a source compiles to, without comments and empty ones: types and documentation cost nothing.
 * @param {ts.SourceFile} file
 */
export function linesOf({ text, fileName }) {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    removeComments: true,
  };
  const { outputText } = ts.transpileModule(text, { fileName, compilerOptions });
  return outputText.split('\n').filter((line) => line.trim() !== '').length;
}
