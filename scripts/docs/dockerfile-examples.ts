import type { DockerfileCode } from '../../src/parser/index.ts';
import { below, type Example, file } from './example.ts';

/** One example for each code of the parser. */
export const dockerfileExamples: Readonly<Record<DockerfileCode, Example>> = {
  'dockerfile/no-instructions': {
    why: 'A build needs at least an image to start from. An empty file, or one with comments only, says nothing to do.',
    wrong: file('# to be written'),
    right: below(),
  },
  'dockerfile/no-stage': {
    why: 'ARG lines may stand above the first FROM, but alone they build nothing.',
    wrong: file('ARG VERSION=3.20'),
    right: file('ARG VERSION=3.20', 'FROM alpine:$VERSION'),
  },
  'dockerfile/before-from': {
    why: 'Every instruction changes an image, so there must be one first. Only ARG may stand above FROM.',
    wrong: file('RUN echo hello', 'FROM alpine:3.20'),
    right: below('RUN echo hello'),
  },
  'dockerfile/line-too-long': {
    why: 'Docker reads lines up to 65,535 bytes. Longer ones are mostly data that belongs into a file.',
    wrong: below(`ENV DATA=${'x'.repeat(65_536)}`),
    right: below('COPY data.txt /data.txt'),
  },
  'dockerfile/unterminated-heredoc': {
    why: 'A heredoc takes all lines up to one that holds its name and nothing else. With <<- tabs may stand before it.',
    wrong: below('RUN <<EOF', 'echo hello', '  EOF'),
    right: below('RUN <<EOF', 'echo hello', 'EOF'),
  },
  'dockerfile/invalid-escape': {
    why: 'The escape character joins lines and keeps quotes as text. It is a backslash, or a backtick where paths have backslashes.',
    wrong: file('# escape=/', 'FROM alpine:3.20'),
    right: file('# escape=`', 'FROM alpine:3.20'),
  },
  'dockerfile/duplicate-directive': {
    why: 'A directive holds for the whole file, so it can be given once only.',
    wrong: file('# escape=`', '# escape=\\', 'FROM alpine:3.20'),
    right: file('# escape=`', 'FROM alpine:3.20'),
  },
  'dockerfile/unsupported-syntax': {
    why: 'The syntax line names the program that reads the file. Berth reads Docker’s own language by itself and loads no other reader.',
    wrong: file('# syntax=example.com/other:1', 'FROM alpine:3.20'),
    right: file('# syntax=docker/dockerfile:1', 'FROM alpine:3.20'),
  },
  'dockerfile/invalid-check': {
    why: 'The check line sets how the build checks work: which are skipped, and whether findings stop the build.',
    wrong: file('# check=ignore=all', 'FROM alpine:3.20'),
    right: file('# check=skip=all', 'FROM alpine:3.20'),
  },
  'dockerfile/unknown-check': {
    why: 'Names of checks are written exactly as in the list of checks; a misspelt one would skip nothing.',
    wrong: file('# check=skip=StageNameCase', 'FROM alpine:3.20'),
    right: file('# check=skip=StageNameCasing', 'FROM alpine:3.20'),
  },
  'dockerfile/unknown-instruction': {
    why: 'Each line begins with an instruction. A line that should go on with the one above needs a backslash at the end of that.',
    wrong: below('RUNN echo hello'),
    right: below('RUN echo hello'),
  },
  'dockerfile/lone-escape': {
    why: 'A backslash at the end of a line joins the next one to it. Here there is no instruction to join to.',
    wrong: below('\\'),
    right: below('RUN echo hello \\', '  world'),
  },
  'dockerfile/unknown-flag': {
    why: 'Flags are what comes directly behind the instruction and begins with two dashes. Each instruction has its own.',
    wrong: below('COPY --chwon=1000 . /app'),
    right: below('COPY --chown=1000 . /app'),
  },
  'dockerfile/duplicate-flag': {
    why: 'Of two values only one can count.',
    wrong: below('COPY --chown=1 --chown=2 . /app'),
    right: below('COPY --chown=2 . /app'),
  },
  'dockerfile/flag-needs-value': {
    why: 'The value of a flag comes behind an equals sign: a space would end the flag.',
    wrong: below('COPY --chown 1000 . /app'),
    right: below('COPY --chown=1000 . /app'),
  },
  'dockerfile/flag-needs-boolean': {
    why: 'Some flags only switch something on or off.',
    wrong: below('COPY --link=maybe . /app'),
    right: below('COPY --link . /app'),
  },
  'dockerfile/unclosed-flag': {
    why: 'A quote keeps blanks inside a flag’s value together, up to the next quote.',
    wrong: below('RUN --mount="type=cache,target=/c make'),
    right: below('RUN --mount="type=cache,target=/c" make'),
  },
  'dockerfile/late-flag': {
    why: 'Behind the first path everything is a path, also what looks like a flag.',
    wrong: below('COPY package.json --chown=1000 /app/'),
    right: below('COPY --chown=1000 package.json /app/'),
  },
  'dockerfile/missing-arguments': {
    why: 'The instruction says what to do, its arguments say with what.',
    wrong: below('COPY package.json'),
    right: below('COPY package.json /app/'),
  },
  'dockerfile/json-not-strings': {
    why: 'In the JSON form each argument of the program is a string in double quotes, numbers too.',
    wrong: below('CMD ["sleep", 10]'),
    right: below('CMD ["sleep", "10"]'),
  },
  'dockerfile/json-ignored': {
    why: 'What is not valid JSON is taken in the other form in silence, and then the brackets and quotes are part of the command.',
    wrong: file('# check=skip=JSONArgsRecommended', 'FROM alpine:3.20', "CMD ['sleep', '10']"),
    right: below('CMD ["sleep", "10"]'),
  },
  'dockerfile/empty-command': {
    why: 'The instruction is allowed without a command, but it does nothing.',
    wrong: below('RUN'),
    right: below('RUN apk add curl'),
  },
  'dockerfile/missing-equals': {
    why: 'ENV and LABEL take name=value pairs. A value with blanks needs quotes, else its second word is taken for a pair.',
    wrong: below('ENV GREETING=hello world'),
    right: below('ENV GREETING="hello world"'),
  },
  'dockerfile/spaced-equals': {
    why: 'Blanks end a word, so the name, the equals sign and the value would be three of them.',
    wrong: below('ENV MODE=fast HOST = localhost'),
    right: below('ENV MODE=fast HOST=localhost'),
  },
  'dockerfile/missing-value': {
    why: 'A variable or label has a value, which may be empty.',
    wrong: below('ENV MODE'),
    right: below('ENV MODE=""'),
  },
  'dockerfile/blank-name': {
    why: 'There is nothing before the equals sign, often because of a blank too many.',
    wrong: below('ENV A=1 =fast'),
    right: below('ENV A=1 MODE=fast'),
  },
  'dockerfile/invalid-from': {
    why: 'FROM names an image and may give the stage a name. Nothing else stands in it.',
    wrong: file('FROM alpine:3.20 AS'),
    right: file('FROM alpine:3.20 AS build'),
  },
  'dockerfile/missing-as': {
    why: 'The name of a stage comes behind the word AS.',
    wrong: file('FROM alpine:3.20 build'),
    right: file('FROM alpine:3.20 AS build'),
  },
  'dockerfile/invalid-stage-name': {
    why: 'Other instructions refer to a stage by its name, and a number means its position.',
    wrong: file('FROM alpine:3.20 AS 1st'),
    right: file('FROM alpine:3.20 AS first'),
  },
  'dockerfile/heredoc-destination': {
    why: 'A heredoc is text to copy from. Where to copy to is a path, and it comes last.',
    wrong: below('COPY hello.txt <<EOF', 'hello', 'EOF'),
    right: below('COPY <<EOF /hello.txt', 'hello', 'EOF'),
  },
  'dockerfile/variable-in-from': {
    why: 'Which stages belong together is decided before variables have values, save those of FROM itself.',
    wrong: file('FROM alpine:3.20 AS build', 'FROM scratch', 'COPY --from=$STAGE /app /app'),
    right: file('ARG IMAGE=alpine:3.20', 'FROM $IMAGE AS build', 'FROM scratch', 'COPY --from=build /app /app'),
  },
  'dockerfile/bad-substitution': {
    why: 'In most instructions a dollar sign stands for a variable. Only some forms of the shell are known here.',
    wrong: below(`ENV NAME=\${}`),
    right: below('ARG USER=me', `ENV NAME=\${USER:-nobody}`),
  },
  'dockerfile/unclosed-quote': {
    why: 'A quote keeps blanks and signs together, up to the next quote of its kind.',
    wrong: below('WORKDIR "/my folder'),
    right: below('WORKDIR "/my folder"'),
  },
  'dockerfile/unknown-mount-type': {
    why: 'A mount gives a step something that is not part of the image: files, a cache, a secret.',
    wrong: below('RUN --mount=type=cahce,target=/root/.cache make'),
    right: below('RUN --mount=type=cache,target=/root/.cache make'),
  },
  'dockerfile/unknown-mount-option': {
    why: 'Options of a mount are key=value pairs with commas between them, without blanks.',
    wrong: below('RUN --mount=type=cache,tagret=/root/.cache make'),
    right: below('RUN --mount=type=cache,target=/root/.cache make'),
  },
  'dockerfile/mount-option-not-allowed': {
    why: 'Each type of mount has its own options.',
    wrong: below('RUN --mount=type=bind,target=/src,mode=0755 make'),
    right: below('RUN --mount=type=cache,target=/src,mode=0755 make'),
  },
  'dockerfile/mount-option-needs-value': {
    why: 'Only readonly, readwrite and required may stand without a value.',
    wrong: below('RUN --mount=type=cache,target make'),
    right: below('RUN --mount=type=cache,target=/root/.cache make'),
  },
  'dockerfile/invalid-mount-value': {
    why: 'The value is not one that this option takes.',
    wrong: below('RUN --mount=type=cache,target=/c,sharing=never make'),
    right: below('RUN --mount=type=cache,target=/c,sharing=locked make'),
  },
  'dockerfile/incomplete-mount': {
    why: 'A secret is named by its id, which is also the name in the build command: --secret id=token.',
    wrong: below('RUN --mount=type=secret cat /run/secrets/token'),
    right: below('RUN --mount=type=secret,id=token cat /run/secrets/token'),
  },
  'dockerfile/conflicting-mount-options': {
    why: 'For a secret, id and source are two words for the same.',
    wrong: below('RUN --mount=type=secret,id=token,source=token make'),
    right: below('RUN --mount=type=secret,id=token make'),
  },
  'dockerfile/invalid-network': {
    why: 'A step runs with the build’s network, with none, or with that of the host.',
    wrong: below('RUN --network=nnone make'),
    right: below('RUN --network=none make'),
  },
  'dockerfile/invalid-security': {
    why: 'A step runs closed in (sandbox) or with all rights (insecure).',
    wrong: below('RUN --security=unsafe make'),
    right: below('RUN --security=sandbox make'),
  },
  'dockerfile/invalid-device': {
    why: 'A device is named by vendor, class and name, as the machine’s device files (CDI) have it.',
    wrong: below('RUN --device=vendor.com/gpu=all,needed make'),
    right: below('RUN --device=vendor.com/gpu=all,required make'),
  },
  'dockerfile/unknown-healthcheck': {
    why: 'The word CMD comes before the command that looks whether the container is well.',
    wrong: below('HEALTHCHECK curl localhost'),
    right: below('HEALTHCHECK CMD curl localhost'),
  },
  'dockerfile/healthcheck-none-arguments': {
    why: 'NONE switches off the check that the base image has.',
    wrong: below('HEALTHCHECK NONE curl localhost'),
    right: below('HEALTHCHECK NONE'),
  },
  'dockerfile/invalid-duration': {
    why: 'A number alone does not say whether seconds or minutes are meant.',
    wrong: below('HEALTHCHECK --interval=30 CMD true'),
    right: below('HEALTHCHECK --interval=30s CMD true'),
  },
  'dockerfile/duration-too-short': {
    why: 'Shorter times than a millisecond are a slip, and would keep the machine busy.',
    wrong: below('HEALTHCHECK --interval=10us CMD true'),
    right: below('HEALTHCHECK --interval=10ms CMD true'),
  },
  'dockerfile/invalid-retries': {
    why: 'It is the number of failures in a row after which the container counts as unhealthy.',
    wrong: below('HEALTHCHECK --retries=some CMD true'),
    right: below('HEALTHCHECK --retries=3 CMD true'),
  },
  'dockerfile/empty-volume': {
    why: 'A volume is a directory of the container.',
    wrong: below('VOLUME [""]'),
    right: below('VOLUME ["/data"]'),
  },
  'dockerfile/shell-form': {
    why: 'SHELL names a program and its arguments, and there is no shell yet that could take a plain line apart.',
    wrong: below('SHELL /bin/bash -c'),
    right: below('SHELL ["/bin/bash", "-c"]'),
  },
  'dockerfile/onbuild-not-allowed': {
    why: 'ONBUILD keeps an instruction for the build that starts from this image. Some make no sense there.',
    wrong: below('ONBUILD FROM scratch'),
    right: below('ONBUILD COPY . /app'),
  },
  'dockerfile/not-one-instruction': {
    why: 'A change given on the command line is one instruction.',
    wrong: file('ENV A=1', 'ENV B=2'),
    right: file('ENV A=1 B=2'),
    options: { asChange: true },
  },
  'dockerfile/instruction-not-allowed': {
    why: 'A change given on the command line can set what the image says, but cannot run anything.',
    wrong: file('RUN make'),
    right: file('CMD ["make"]'),
    options: { asChange: true },
  },
};
