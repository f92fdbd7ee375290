export type { TcpAddress, UnixAddress } from './listen.ts';
export type {
  BuildInput,
  BuildsApi,
  DistributionApi,
  Download,
  PullsApi,
  PushesApi,
  RegistriesApi,
  ServerLog,
  Services,
  SystemApi,
} from './ports.ts';
export { type ApiServer, type ApiServerOptions, createApiServer } from './server.ts';
