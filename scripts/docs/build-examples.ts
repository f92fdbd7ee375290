import type { FindingCode } from '../../src/builder/findings.ts';
import { below, type Example, file } from './example.ts';

const told = { onlyInBuilds: true } as const;

/** One example for each code of the builder. */
export const buildExamples: Readonly<Record<FindingCode, Example>> = {
  'build/bad-word': {
    why: 'Once the variables have their values, the word cannot be read.',
    wrong: below('ARG NAME', `ENV GREETING=\${NAME:?missing}`),
    right: below('ARG NAME=you', `ENV GREETING=\${NAME:?missing}`),
  },
  'build/blank-base': {
    why: 'The image of FROM is all variables, and they are empty.',
    wrong: file('ARG IMAGE', 'FROM $IMAGE'),
    right: file('ARG IMAGE=alpine:3.20', 'FROM $IMAGE'),
  },
  'build/bad-reference': {
    why: 'Names of images are in lower case, with a tag behind a colon.',
    wrong: file('FROM Alpine:3.20'),
    right: file('FROM alpine:3.20'),
  },
  'build/bad-platform': {
    why: 'A platform is an operating system and a processor with a slash between them.',
    wrong: file('FROM --platform=linux/ alpine:3.20'),
    right: file('FROM --platform=linux/amd64 alpine:3.20'),
  },
  'build/base-not-found': {
    why: 'The image that the build starts from is not here and could not be fetched.',
    wrong: file('FROM alpnie:3.20'),
    right: file('FROM alpine:3.20'),
    options: told,
  },
  'build/unknown-target': {
    why: 'berth build --target names a stage of the file: what stands behind AS, or its number.',
    wrong: file('FROM alpine:3.20 AS base'),
    right: file('FROM alpine:3.20 AS build'),
    options: { target: 'build' },
  },
  'build/unknown-stage': {
    why: 'A stage can only copy from stages above it.',
    wrong: below('COPY --from=3 /app /app'),
    right: file('FROM alpine:3.20', 'FROM alpine:3.20', 'COPY --from=0 /app /app'),
  },
  'build/stage-cycle': {
    why: 'A stage cannot need itself to be built.',
    wrong: file('FROM alpine:3.20 AS build', 'COPY --from=build /app /copy'),
    right: file('FROM alpine:3.20 AS build', 'RUN cp -r /app /copy'),
  },
  'build/bad-signal': {
    why: 'The signal is what a container gets when it is to stop.',
    wrong: below('STOPSIGNAL SIGSTOPP'),
    right: below('STOPSIGNAL SIGTERM'),
  },
  'build/bad-port': {
    why: 'A port is a number up to 65535, and may have /tcp, /udp or /sctp behind it.',
    wrong: below('EXPOSE 80800'),
    right: below('EXPOSE 8080'),
  },
  'build/port-host-part': {
    why: 'EXPOSE names ports of the container; where they appear on the host is decided when a container starts.',
    wrong: below('EXPOSE 8080:80'),
    right: below('EXPOSE 80'),
  },
  'build/bad-chmod': {
    why: 'Rights are an octal number or in the words of chmod.',
    wrong: below('COPY --chmod=999 app /app'),
    right: below('COPY --chmod=755 app /app'),
  },
  'build/bad-mount': {
    why: 'With its variables replaced, the mount has no place to go, or would cover everything.',
    wrong: below('ARG WHERE=/', 'RUN --mount=type=tmpfs,target=$WHERE true'),
    right: below('ARG WHERE=/tmp', 'RUN --mount=type=tmpfs,target=$WHERE true'),
  },
  'build/bad-value': {
    why: 'With its variables replaced, the value does not fit the instruction.',
    wrong: below('COPY https://example.com/file /file'),
    right: below('COPY file /file'),
  },
  'build/bad-epoch': {
    why: 'SOURCE_DATE_EPOCH sets all times in the image: seconds since the beginning of 1970.',
    wrong: file('ARG SOURCE_DATE_EPOCH=yesterday', 'FROM alpine:3.20'),
    right: file('ARG SOURCE_DATE_EPOCH=1700000000', 'FROM alpine:3.20'),
  },
  'build/bad-trigger': {
    why: 'The base image holds an ONBUILD instruction that cannot be read. Only its maker can mend it.',
    wrong: below(),
    right: file('FROM scratch'),
    options: { imageTriggers: ['COPY only-one'] },
  },
  'build/not-allowed': {
    why: 'The command wants more than a sandbox gives: who starts the build must agree, with --allow.',
    wrong: below('RUN --security=insecure mount'),
    right: below('RUN id'),
    options: told,
  },
  'build/no-context': {
    why: 'A Dockerfile from stdin comes without files, so there is nothing to copy.',
    wrong: below('COPY app /app'),
    right: below('RUN echo made in the build > /app'),
    options: told,
  },
  'build/source-not-found': {
    why: 'COPY and ADD take files from the folder that was given to the build, and paths begin there.',
    wrong: below('COPY ../other/file /file'),
    right: below('COPY file /file'),
    options: told,
  },
  'build/bad-destination': {
    why: 'Several files need a directory to go to, and its path ends in a slash.',
    wrong: below('COPY app file /data'),
    right: below('COPY app file /data/'),
    options: told,
  },
  'build/run-failed': {
    why: 'A command that ends with another exit code than 0 has failed, and the build stops. What it printed stands above.',
    wrong: below('RUN false'),
    right: below('RUN true'),
    options: told,
  },
  'build/step-failed': {
    why: 'A step could not be done; the message says why.',
    wrong: below('RUN --mount=type=bind,source=missing,target=/m true'),
    right: below('RUN true'),
    options: told,
  },
};
