import type { Case } from '../case.js';
import { closePayloads } from './close-payload.js';
import { closing } from './close.js';
import { control } from './control.js';
import { deflateAnswers } from './deflate-answers.js';
import { deflateBits } from './deflate-bits.js';
import { deflateContent } from './deflate-content.js';
import { deflateCorrupt } from './deflate-corrupt.js';
import { deflateCut } from './deflate-cut.js';
import { deflateDeclined } from './deflate-declined.js';
import { deflateFrames } from './deflate-frames.js';
import { deflateLimits } from './deflate-limits.js';
import { deflateMessages } from './deflate-messages.js';
import { deflateMixed } from './deflate-mixed.js';
import { deflateOffers } from './deflate-offers.js';
import { deflateReplies } from './deflate-replies.js';
import { deflateWindow } from './deflate-window.js';
import { fragmentation } from './fragmentation.js';
import { framing } from './framing.js';
import { limits } from './limits.js';
import { masking } from './masking.js';
import { requestsAccepted } from './request-accepted.js';
import { requestLists } from './request-lists.js';
import { requestOrigins } from './request-origins.js';
import { requestsRefused } from './request-refused.js';
import { requestStages } from './request-stages.js';
import { reserved } from './reserved.js';
import { responsesAccepted } from './response-accepted.js';
import { responsesRefused } from './response-refused.js';
import { utf8 } from './utf8.js';

/** The whole table. */
export const CASES: readonly Case[] = [
  ...framing,
  ...masking,
  ...reserved,
  ...control,
  ...fragmentation,
  ...utf8,
  ...closePayloads,
  ...closing,
  ...limits,
  ...deflateMessages,
  ...deflateWindow,
  ...deflateFrames,
  ...deflateMixed,
  ...deflateCorrupt,
  ...deflateCut,
  ...deflateContent,
  ...deflateLimits,
  ...deflateBits,
  ...deflateReplies,
  ...requestsAccepted,
  ...requestsRefused,
  ...requestLists,
  ...requestOrigins,
  ...requestStages,
  ...responsesAccepted,
  ...responsesRefused,
  ...deflateOffers,
  ...deflateDeclined,
  ...deflateAnswers,
];
