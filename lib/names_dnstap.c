/* names_dnstap.c - enumerations of dnstap.proto with their names.
 *
 * Each table is ascending by value; tests/unit/test_names.c checks it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "names.h"

#define ROW(literal)                                                                               \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define TABLE(rows, prefix)                                                                        \
    {                                                                                              \
        rows, sizeof(rows) / sizeof(*rows), prefix                                                 \
    }

/* Message.Type */
static const struct name_row message_type_rows[] = {
    {1, ROW("AUTH_QUERY")},        {2, ROW("AUTH_RESPONSE")},      {3, ROW("RESOLVER_QUERY")},
    {4, ROW("RESOLVER_RESPONSE")}, {5, ROW("CLIENT_QUERY")},       {6, ROW("CLIENT_RESPONSE")},
    {7, ROW("FORWARDER_QUERY")},   {8, ROW("FORWARDER_RESPONSE")}, {9, ROW("STUB_QUERY")},
    {10, ROW("STUB_RESPONSE")},    {11, ROW("TOOL_QUERY")},        {12, ROW("TOOL_RESPONSE")},
    {13, ROW("UPDATE_QUERY")},     {14, ROW("UPDATE_RESPONSE")},
};
const struct name_table names_message_type = TABLE(message_type_rows, "");

/* Message.Type in two letters, as the dnstap tools print it */
static const struct name_row direction_rows[] = {
    {1, ROW("AQ")},  {2, ROW("AR")},  {3, ROW("RQ")},  {4, ROW("RR")},  {5, ROW("CQ")},
    {6, ROW("CR")},  {7, ROW("FQ")},  {8, ROW("FR")},  {9, ROW("SQ")},  {10, ROW("SR")},
    {11, ROW("TQ")}, {12, ROW("TR")}, {13, ROW("UQ")}, {14, ROW("UR")},
};
const struct name_table names_direction = TABLE(direction_rows, "");

/* SocketFamily */
static const struct name_row family_rows[] = {
    {1, ROW("INET")},
    {2, ROW("INET6")},
};
const struct name_table names_family = TABLE(family_rows, "");

/* SocketProtocol */
static const struct name_row protocol_rows[] = {
    {1, ROW("UDP")},         {2, ROW("TCP")},         {3, ROW("DOT")}, {4, ROW("DOH")},
    {5, ROW("DNSCryptUDP")}, {6, ROW("DNSCryptTCP")}, {7, ROW("DOQ")},
};
const struct name_table names_protocol = TABLE(protocol_rows, "");

/* HttpProtocol */
static const struct name_row http_protocol_rows[] = {
    {1, ROW("HTTP1")},
    {2, ROW("HTTP2")},
    {3, ROW("HTTP3")},
};
const struct name_table names_http_protocol = TABLE(http_protocol_rows, "");

/* Policy.Action */
static const struct name_row policy_action_rows[] = {
    {1, ROW("NXDOMAIN")}, {2, ROW("NODATA")},   {3, ROW("PASS")},
    {4, ROW("DROP")},     {5, ROW("TRUNCATE")}, {6, ROW("LOCAL_DATA")},
};
const struct name_table names_policy_action = TABLE(policy_action_rows, "");

/* Policy.Match */
static const struct name_row policy_match_rows[] = {
    {1, ROW("QNAME")},   {2, ROW("CLIENT_IP")}, {3, ROW("RESPONSE_IP")},
    {4, ROW("NS_NAME")}, {5, ROW("NS_IP")},
};
const struct name_table names_policy_match = TABLE(policy_match_rows, "");
