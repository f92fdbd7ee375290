import type { RuleName } from '../../src/parser/index.ts';
import { below, type Example, file } from './example.ts';

/** One example for each build check. */
export const checkExamples: Readonly<Record<RuleName, Example>> = {
  StageNameCasing: {
    why: 'Stage names are compared in lower case, so capitals only pretend that there is a difference.',
    wrong: file('FROM alpine:3.20 AS Build'),
    right: file('FROM alpine:3.20 AS build'),
  },
  FromAsCasing: {
    why: 'Two words of one instruction are easier to read in one case.',
    wrong: file('FROM alpine:3.20 as build'),
    right: file('FROM alpine:3.20 AS build'),
  },
  NoEmptyContinuation: {
    why: 'A blank line looks like the end of the instruction, but is none. Later versions of Docker will refuse it.',
    wrong: below('RUN apk add \\', '', '  curl'),
    right: below('RUN apk add \\', '  curl'),
  },
  ConsistentInstructionCasing: {
    why: 'Instructions may be written in any case. One case in a file is easier to read, and most people write capitals.',
    wrong: below('RUN make', 'workdir /app'),
    right: below('RUN make', 'WORKDIR /app'),
  },
  DuplicateStageName: {
    why: 'Of two stages with one name, later instructions only reach the last one.',
    wrong: file('FROM alpine:3.20 AS build', 'FROM busybox:1.36 AS build'),
    right: file('FROM alpine:3.20 AS build', 'FROM busybox:1.36 AS tools'),
  },
  ReservedStageName: {
    why: 'FROM scratch starts from nothing, and context names the files that the build was given.',
    wrong: file('FROM alpine:3.20 AS scratch'),
    right: file('FROM alpine:3.20 AS base'),
  },
  JSONArgsRecommended: {
    why: 'A plain command line is run by a shell, and the shell, not your program, gets the signal when the container is to stop. In the JSON form the program runs directly.',
    wrong: below('CMD node server.js'),
    right: below('CMD ["node", "server.js"]'),
  },
  MaintainerDeprecated: {
    why: 'A label can say the same, and tools can read it.',
    wrong: below('MAINTAINER me@example.com'),
    right: below('LABEL org.opencontainers.image.authors="me@example.com"'),
  },
  UndefinedArgInFrom: {
    why: 'FROM sees only the ARGs above the first FROM. A variable that is none of them is empty.',
    wrong: file('ARG VERSION=3.20', `FROM alpine:\${VERSOIN:-3.20}`),
    right: file('ARG VERSION=3.20', `FROM alpine:\${VERSION}`),
  },
  WorkdirRelativePath: {
    why: 'A relative path starts where the base image happens to be, and that may change with the next version of it.',
    wrong: below('WORKDIR app'),
    right: below('WORKDIR /app'),
  },
  UndefinedVar: {
    why: 'A variable that nobody defines is empty, and the instruction does something else than it seems to.',
    wrong: below('ARG VERSION=1', 'LABEL version=$VERSOIN'),
    right: below('ARG VERSION=1', 'LABEL version=$VERSION'),
  },
  MultipleInstructionsDisallowed: {
    why: 'An image has one command, one entry point and one health check. Each further one replaces the one before.',
    wrong: below('CMD ["first"]', 'CMD ["second"]'),
    right: below('CMD ["second"]'),
  },
  LegacyKeyValueFormat: {
    why: 'In the old form everything behind the name is the value, so only one pair fits, and quotes are easily wrong.',
    wrong: below('ENV GREETING hello world'),
    right: below('ENV GREETING="hello world"'),
  },
  InvalidBaseImagePlatform: {
    why: 'A program for another kind of processor does not start, or starts slowly in an emulator.',
    wrong: below('RUN make'),
    right: file('FROM --platform=$BUILDPLATFORM alpine:3.20', 'RUN make'),
    options: { platform: 'linux/arm64', imagePlatform: 'linux/amd64' },
  },
  RedundantTargetPlatform: {
    why: 'Every stage is built for the target platform unless it says otherwise.',
    wrong: file('FROM --platform=$TARGETPLATFORM alpine:3.20'),
    right: file('FROM alpine:3.20'),
  },
  SecretsUsedInArgOrEnv: {
    why: 'Values of ARG and ENV are kept in the image, in its settings or its history. Whoever can pull the image can read them.',
    wrong: below('ARG API_TOKEN', 'RUN deploy'),
    right: below('RUN --mount=type=secret,id=API_TOKEN,env=API_TOKEN deploy'),
  },
  InvalidDefaultArgInFrom: {
    why: 'The file should build without being told every argument; here the image name is not complete then.',
    wrong: file('ARG VERSION', 'FROM alpine:$VERSION'),
    right: file('ARG VERSION=3.20', 'FROM alpine:$VERSION'),
    options: { buildArgs: { VERSION: '3.20' } },
  },
  FromPlatformFlagConstDisallowed: {
    why: 'A constant keeps the stage at one platform, also when the image is built for several.',
    wrong: file('FROM --platform=linux/amd64 alpine:3.20'),
    right: file('FROM --platform=$BUILDPLATFORM alpine:3.20'),
  },
  CopyIgnoredFile: {
    why: 'What the ignore file leaves out does not reach the build, so the copy will fail.',
    wrong: below('COPY notes.tmp /notes'),
    right: below('COPY notes.txt /notes'),
    options: { ignore: '*.tmp\n' },
  },
  InvalidDefinitionDescription: {
    why: 'A comment above FROM or ARG that begins with the name is its description, which berth build --call outline shows.',
    wrong: file(
      '# check=experimental=InvalidDefinitionDescription',
      'FROM alpine:3.20',
      '',
      '# which one to take',
      'ARG VERSION=1',
    ),
    right: file(
      '# check=experimental=InvalidDefinitionDescription',
      'FROM alpine:3.20',
      '',
      '# VERSION is which one to take',
      'ARG VERSION=1',
    ),
  },
  ExposeProtoCasing: {
    why: 'Protocols are written in lower case everywhere else.',
    wrong: below('EXPOSE 80/TCP'),
    right: below('EXPOSE 80/tcp'),
  },
  ExposeInvalidFormat: {
    why: 'EXPOSE tells which ports the program listens on. Where they appear on the host is decided when a container starts.',
    wrong: below('EXPOSE 127.0.0.1:8080:80'),
    right: below('EXPOSE 80'),
  },
};
