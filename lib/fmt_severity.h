/* fmt_severity.h - how bad an event is, for the SIEM formats.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FMT_SEVERITY_H
#define FMT_SEVERITY_H

#include "event.h"

/* CEF's scale: queries and NOERROR 1, names and RRsets that do not exist (or should not) 2, NOTIMP NOTAUTH
 * NOTZONE 3, FORMERR REFUSED 4, SERVFAIL and the other rcodes 5, malformed frames and policy hits 6. */
static inline unsigned fmt_severity(const struct event *event)
{
    static const uint8_t by_rcode[] = {1, 4, 5, 2, 3, 4, 2, 2, 2, 3, 3};

    if (event->malformed || !event->dns || event->policy_action.len)
        return 6;
    if (!event->tap.response_message.ptr)
        return 1;
    return event->dns->rcode < sizeof(by_rcode) ? by_rcode[event->dns->rcode] : 5;
}

#endif
