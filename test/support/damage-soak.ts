import { damageStorm } from '../../manager/store/duckdb/damage-storm.testing.ts';

// node --import tsx test/support/damage-soak.ts ROUNDS SEED: more of what damage.test.ts does a little of.
const [rounds = '500', seed = '1'] = process.argv.slice(2);
const { lossy, problems } = await damageStorm({ rounds: Number(rounds), seed: Number(seed) });
for (const problem of problems) console.log(problem);
console.log(`${rounds} rounds, ${lossy} of them with lines that could not be read, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
