// Runs in the lab's network namespace with a listening socket that was made outside of it: what is accepted there is
// connected on here. Plain JavaScript, so that it starts in a few milliseconds. Ends with the process that started it.
import { connect } from 'node:net';

const port = Number(process.argv[2]);

function join(outside) {
  const inside = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  outside.setNoDelay(true);
  outside.pipe(inside).pipe(outside);
  outside.on('error', () => inside.destroy());
  inside.on('error', () => outside.destroy());
  outside.on('close', () => inside.destroy());
  inside.on('close', () => outside.destroy());
}

process.on('disconnect', () => process.exit(0));
process.on('message', (_, server) => {
  server.allowHalfOpen = true;
  server.on('connection', join);
  process.send('listening');
});
process.send('up');
