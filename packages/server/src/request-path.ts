/** Whether a request target has this path. The query does not count, nor does the authority of an absolute target. RFC 9112 §3.2 */
export function isPath(target: string, path: string): boolean {
  const query = target.indexOf('?');
  const withoutQuery = query === -1 ? target : target.slice(0, query);
  if (withoutQuery.startsWith('/')) return withoutQuery === path;
  const authority = withoutQuery.indexOf('://') + 3;
  const slash = authority < 3 ? -1 : withoutQuery.indexOf('/', authority);
  return (slash === -1 ? '/' : withoutQuery.slice(slash)) === path;
}
