/* body.h - a message's own buffer as a text, so that what is written there need not be copied.
 *
 * Leaves a message as rsyslog's MsgSetRawMsg would, without its copy, and so writes members of smsg_t: pszRawMsg,
 * iLenRawMsg, szRawMsg. What they mean is the same from 8.2302 to 8.2610, and daemon_check.c sees to it that this
 * module and the daemon agree on where they are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BODY_H
#define BODY_H

#include "rsyslog.h"

#include "obj.h"

#include "msg.h"
#include "text.h"

/* Room for `size` octets, which grows up to `limit`. *ret goes to body_give or body_drop. False: no memory. */
bool body_begin(struct text *ret, smsg_t *message, size_t size, size_t limit);

/* The text, which must have room for a NUL behind it, is the message's from here on, and all of it is %msg%. */
void body_give(struct text *body, smsg_t *message);

/* There will be no such message. */
void body_drop(struct text *body, smsg_t *message);

#endif
