import type { Command } from '../context.ts';

export const run: Command = ({ args, environment }) => environment.hosts.runEngine(args);
