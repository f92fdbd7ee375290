export {
  createClient,
  type EngineClient,
  type EngineResponse,
  type HijackedStream,
  type QueryValues,
  type RequestOptions,
} from './client.ts';
export { type EngineAddress, parseHost } from './host.ts';
export { jsonLines } from './json-lines.ts';
