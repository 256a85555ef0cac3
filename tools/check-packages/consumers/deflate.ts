import { answer, checkAnswer, DeflateError, offer, PerMessageDeflate, type DeflateParameters } from '@ws/deflate';

const agreed = answer(offer({ clientMaxWindowBits: 10 }));
if (agreed === undefined) throw new Error('declined');
const parameters: DeflateParameters = checkAnswer(agreed.response, { clientMaxWindowBits: 10 });
if (parameters.clientMaxWindowBits !== 10 || typeof PerMessageDeflate !== 'function') throw new Error('parameters');
try {
  checkAnswer({ name: 'permessage-deflate', parameters: [['unknown', true]] });
  throw new Error('nonsense was accepted');
} catch (error) {
  if (!(error instanceof DeflateError)) throw error;
}
