/** Closes a connection for another reason than the user's: a member of every WebSocket, for the packages of this library. As `close`, with the initiator and the error that `CloseInfo` names. */
export const kEnd = Symbol.for('@ws/connection.end');
/** `closed` of a WebSocket, whatever a program has assigned to that name: a member of every WebSocket too. */
export const kClosed = Symbol.for('@ws/connection.closed');
