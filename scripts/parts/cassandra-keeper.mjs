// node cassandra-keeper.mjs JAVA ARG…: runs the test node and ends it when this program's input ends, which it does
// whatever became of the test that holds the other end. Prints the id of the process, then what the node prints.
import { spawn } from 'node:child_process';

const [java, ...args] = process.argv.slice(2);
const child = spawn(java, args, { stdio: ['ignore', 'inherit', 'inherit'] });
process.stdout.write(`pid ${child.pid}\n`);
process.stdin.resume();
const end = () => child.kill('SIGKILL');
process.stdin.on('end', end);
process.stdin.on('error', end);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
child.on('error', () => process.exit(127));
child.on('exit', (code) => process.exit(code ?? 0));
