export { call, callInThread, libraryFunction, systemError } from './ffi.ts';
export {
  commandLine,
  isRunning,
  type ProcessIdentity,
  signalProcess,
  startTicks,
  waitUntil,
} from './process.ts';
export { limitReceiveBuffer } from './socket-buffer.ts';
