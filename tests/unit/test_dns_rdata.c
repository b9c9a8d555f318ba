/* test_dns_rdata.c - presentation formats of RR types, and what breaks them.
 *
 * Texts are the examples of the RFCs that define the types (their numbers stand in
 * lib/dns_rdata_table.c); the octets are what BIND's named-rrchecker, and dnspython where BIND knows no
 * format, make of them. Octets of DSYNC, HHIT, BRID, TKEY, TSIG, CLA, IPN, E.164 ATMA, ohttp, pvd, oots, docpath and
 * tls-supported-groups, which neither reads, are encoded by hand. Inputs end at an unreadable page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "dns_internal.h"
#include "guard.h"

#define RDATA_MAX 512

struct sample {
    uint16_t type;
    const char *hex, *text;
};

/* clang-format off */
static const struct sample samples[] = {
    {1, "c0000201", "192.0.2.1"},
    {2, "036e7331076578616d706c6503636f6d00", "ns1.example.com."},
    {3, "0161076578616d706c6500", "a.example."},
    {4, "0161076578616d706c6500", "a.example."},
    {5, "03612e62076578616d706c6500", "a\\.b.example."},
    {6, "0656454e4552410349534903454455000e416374696f6e2e646f6d61696e730349534903454455000000001400001c20000002580036ee800000003c", "VENERA.ISI.EDU. Action\\.domains.ISI.EDU. 20 7200 600 3600000 60"},
    {7, "0161076578616d706c6500", "a.example."},
    {8, "0161076578616d706c6500", "a.example."},
    {9, "0161076578616d706c6500", "a.example."},
    {10, "00", "\\# 1 00"},
    {11, "0a000001060000054000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001", "10.0.0.1 6 21 23 25 1023"},
    {12, "0131013201300331393207696e2d61646472046172706100", "1.2.0.192.in-addr.arpa."},
    {13, "095044502d31312f373004554e4958", "\"PDP-11/70\" \"UNIX\""},
    {14, "0161076578616d706c65000162076578616d706c6500", "a.example. b.example."},
    {15, "000a046d61696c076578616d706c6503636f6d00", "10 mail.example.com."},
    {16, "036f6e6500087422775c6f3b20ff", "\"one\" \"\" \"t\\\"w\\\\o; \\255\""},
    {17, "056c6f756965077472616e746f7203756d640365647500044c414d310670656f706c6503756d640365647500", "louie.trantor.umd.edu. LAM1.people.umd.edu."},
    {18, "0001076269676269726407746f617374657203636f6d00", "1 bigbird.toaster.com."},
    {19, "0c333131303631373030393536", "\"311061700956\""},
    {20, "0f31353038363230323830303332313703303034", "\"150862028003217\" \"004\""},
    {20, "0f313530383632303238303033323137", "\"150862028003217\""},
    {21, "000a0572656c6179057072696d6503636f6d00", "10 relay.prime.com."},
    {22, "47000580005a0000000001e133ffffff00016100", "0x47000580005A0000000001E133FFFFFF00016100"},
    {23, "03666f6f00", "foo."},
    {24, "001e010300000e103c0eb5003b6dde00085f03666f6f03746c6400000102030405", "NXT 1 3 3600 20011206000000 20010806000000 2143 foo.tld. AAECAwQF"},
    {25, "0200ff010103050f9ada7330891d588ab4b621586cfc84c63d50646e9e22430730bbc34691", "512 255 1 AQMFD5raczCJHViKtLYhWGz8hMY9UGRuniJDBzC7w0aR"},
    {25, "c0000301", "49152 3 1"},
    {25, "8000030801", "32768 3 8 AQ=="},
    {26, "000a046e657432026974000950524d442d6e6574320941444d442d7034303004432d697400", "10 net2.it. PRMD-net2.ADMD-p400.C-it."},
    {27, "082d33322e36383832083131362e383635320431302e30", "\"-32.6882\" \"116.8652\" \"10.0\""},
    {28, "20010db8000000000000000000000001", "2001:db8::1"},
    {28, "00000000000000000000ffffc0000201", "::ffff:192.0.2.1"},
    {29, "0033161389172dd070be15f000988d20", "42 21 54.000 N 71 6 18.000 W -24m 30m 10000m 10m"},
    {29, "00121613791b7d2898e6486800989a68", "32 7 19.000 S 116 2 25.000 E 10m 1m 10000m 10m"},
    {29, "005099008b3cf019810cc0c700989685", "52 22 23.001 N 4 53 32.999 E 0.05m 0.05m 90000000m 0m"},
    {30, "066d656469756d03666f6f03746c640040010082", "medium.foo.tld. A MX SIG NXT"},
    {31, "0a0b0c", "0A0B0C"},
    {32, "0a0b0c", "0A0B0C"},
    {33, "0000000513c409736970736572766572076578616d706c6503636f6d00", "0 5 5060 sipserver.example.com."},
    {34, "0039246f00e7c9c031200010001000001234567890", "39246F00E7C9C031200010001000001234567890"},
    {34, "013631323030303030303030", "+61200000000"},
    {35, "00640032017310687474702b4e324c2b4e32432b4e32520003777777076578616d706c6503636f6d00", "100 50 \"s\" \"http+N2L+N2C+N2R\" \"\" www.example.com."},
    {35, "0064000a0175077369702b4532551c215e2e2a24217369703a696e666f406578616d706c652e636f6d216900", "100 10 \"u\" \"sip+E2U\" \"!^.*$!sip:info@example.com!i\" ."},
    {36, "000a03727431076578616d706c6503636f6d00", "10 rt1.example.com."},
    {37, "000130390801020304", "PKIX 12345 8 AQIDBA=="},
    {37, "ff000001ff01020304", "65280 1 255 AQIDBA=="},
    {38, "400001000000000001067375626e6574076578616d706c6500", "64 ::1:0:0:1 subnet.example."},
    {38, "0020010db8000000000000000000000001", "0 2001:db8::1"},
    {38, "800161076578616d706c6500", "128 a.example."},
    {39, "06746172676574076578616d706c6500", "target.example."},
    {40, "010203010203", "1 2 3 AQID"},
    {41, "000c0000", "\\# 4 000C0000"},
    {42, "00011503c0a82000011c83c0a826", "1:192.168.32.0/21 !1:192.168.38.0/28"},
    {42, "00010401e000020801ff", "1:224.0.0.0/4 2:ff00::/8"},
    {42, "", ""},
    {43, "ec4505012bb183af5f22588179a53b0a98631fad1a292118", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"},
    {43, "ec45050903", "60485 5 9 03"},
    {43, "00010802abababababababababababababababababababababababababababababababab", "1 8 2 ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB"},
    {43, "00010803abababababababababababababababababababababababababababababababab", "1 8 3 ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB"},
    {43, "00010804abababababababababababababababababababababababababababababababababababababababababababababababab", "1 8 4 ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB"},
    {44, "0201123456789abcdef67890123456789abcdef67890", "2 1 123456789ABCDEF67890123456789ABCDEF67890"},
    {45, "0a0102c0000226010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="},
    {45, "0a0002010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801", "10 0 2 . AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="},
    {45, "0a0302096d7967617465776179076578616d706c6503636f6d00010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801", "10 3 2 mygateway.example.com. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="},
    {45, "0a020220010db8000080020000000020000001010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801", "10 2 2 2001:db8:0:8002::2000:1 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="},
    {45, "0a0000", "10 0 0 ."},
    {45, "0a0100c0000226", "10 1 0 192.0.2.38"},
    {46, "00010503000151803e7c9dd73e5510d70a52076578616d706c6503636f6d00a090755ba58d1affa576f4375831b4310920e481218d18a9f164eb3d81afd3b875d3c75428631e0cf2a28d50875f70c329d7dbfafea807dc1fba1dc34c95d401f2", "A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTrPYGv07h108dUKGMeDPKijVCHX3DDKdfb+v6oB9wfuh3DTJXUAfI="},
    {47, "04686f7374076578616d706c6503636f6d000006400100000003041b000000000000000000000000000000000000000000000000000020", "host.example.com. A MX RRSIG NSEC TYPE1234"},
    {47, "01000161076578616d706c6500010140800180", "\\000.a.example. CAA TA"},
    {48, "010003050103d22a6ca77f35b893206fd35e4c506d8378843709b97e041647e1bff43d8d64c649af1e371973c9e891fce3df519a8c840a63ee42a6d2ebddbb97035d215aa4e4", "256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3Cbl+BBZH4b/0PY1kxkmvHjcZc8nokfzj31GajIQKY+5CptLr3buXA10hWqTk"},
    {49, "000201636fc0b8271c82825bb1ac5c41cf5351aa69b4febd94e8f17cdb95000da48c40", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="},
    {50, "0101000c04aabbccdd14174eb2409fe28bcb4887a1836f957f0a8425e27b000722010000000290", "1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS SOA MX RRSIG DNSKEY NSEC3PARAM"},
    {50, "010000000014174eb2409fe28bcb4887a1836f957f0a8425e27b", "1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR"},
    {51, "0100000c04aabbccdd", "1 0 12 AABBCCDD"},
    {51, "0100000000", "1 0 0 -"},
    {52, "000001d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971", "0 0 1 D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB106618E971"},
    {53, "000001d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971", "0 0 1 D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB106618E971"},
    {55, "10020084200100107b1a74df365639cc39f1d57803010001b771ca136e4aeb5ce44333c53b3d2c13c22243851fc708bcce29f7e2eb5787b5f56ccad34f8223acc10904ddb56b2ec4a6d6232f3b50ea094f0914b3b941bbe529af582c36bbadefdaf2adaf9b4911906f5b2522603c615272b880ec8fb930cc6ee39c444daa75b1678f005a4b2499d1da5433f805c7a5ad3237acc5dd5c5e43", "2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p9+LrV4e19WzK00+CI6zBCQTdtWsuxKbWIy87UOoJTwkUs7lBu+Upr1gsNrut79ryra+bSRGQb1slImA8YVJyuIDsj7kwzG7jnERNqnWxZ48AWkskmdHaVDP4BcelrTI3rMXdXF5D"},
    {55, "10020004200100107b1a74df365639cc39f1d578030100010472767331076578616d706c6503636f6d000472767332076578616d706c6503636f6d00", "2 200100107B1A74DF365639CC39F1D578 AwEAAQ== rvs1.example.com. rvs2.example.com."},
    {56, "01610162", "\"a\" \"b\""},
    {57, "0000ff0101020304", "0 255 1 AQIDBA=="},
    {58, "0161076578616d706c65000162076578616d706c6500", "a.example. b.example."},
    {59, "ec4505012bb183af5f22588179a53b0a98631fad1a292118", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"},
    {59, "0000000000", "0 0 0 00"},
    {60, "0000030000", "0 3 0 AA=="},
    {61, "01020304", "AQIDBA=="},
    {62, "000000420003000460000008", "66 3 A NS AAAA"},
    {63, "7848b78c0101febe3d4ce2ec2ffa4ba99d46cd69d6d29711e55217057bee7eb1a7b641a47ba7fed2dd5b97ae499fafa4f22c6bd647de", "2018031500 1 1 FEBE3D4CE2EC2FFA4BA99D46CD69D6D29711E55217057BEE7EB1A7B641A47BA7FED2DD5B97AE499FAFA4F22C6BD647DE"},
    {63, "000000010102abababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababab", "1 1 2 ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB"},
    {63, "0000000101f0abababababababababababab", "1 1 240 ABABABABABABABABABABABAB"},
    {64, "000003666f6f076578616d706c6503636f6d00", "0 foo.example.com."},
    {64, "000100", "1 ."},
    {64, "001003666f6f076578616d706c6503636f6d00000300020035", "16 foo.example.com. port=53"},
    {64, "000103666f6f076578616d706c6503636f6d00029b000568656c6c6f", "1 foo.example.com. key667=\"hello\""},
    {64, "000103666f6f076578616d706c6503636f6d00029b000968656c6c6fd2716f6f", "1 foo.example.com. key667=\"hello\\210qoo\""},
    {64, "000103666f6f076578616d706c6503636f6d00029b0000", "1 foo.example.com. key667"},
    {64, "000103666f6f076578616d706c6503636f6d000006002020010db800000000000000000000000120010db8000000000000000000530001", "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1"},
    {64, "001003666f6f076578616d706c65036f7267000000000400010004000100090268320568332d313900040004c0000201", "16 foo.example.org. mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" ipv4hint=192.0.2.1"},
    {64, "001003666f6f076578616d706c65036f7267000001000c08665c6f6f2c626172026832", "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\""},
    {64, "000100000a000603612c620163", "1 . docpath=\"a\\\\,b,c\""},
    {64, "000100000a0000", "1 . docpath=\"\""},
    {65, "00010000010003026832000200000003000220fb00040008c0000201c0000202000500040048fe0d0006001020010db8000000000000000000000001", "1 . alpn=\"h2\" no-default-alpn port=8443 ipv4hint=192.0.2.1,192.0.2.2 ech=AEj+DQ== ipv6hint=2001:db8::1"},
    {65, "000100000700102f646e732d71756572797b3f646e737d", "1 . dohpath=\"/dns-query{?dns}\""},
    {65, "00010000090004001d0017", "1 . tls-supported-groups=29,23"},
    {65, "00010000080000", "1 . ohttp"},
    {65, "000100000b0000", "1 . pvd"},
    {64, "000100000c000b04646f35336403646f740a", "1 . oots=\"do53:100,dot:10\""},
    {66, "003b0114ef0b6364732d7363616e6e6572076578616d706c65036e657400", "CDS NOTIFY 5359 cds-scanner.example.net."},
    {66, "003eff003500", "CSYNC 255 53 ."},
    {67, "01020304", "AQIDBA=="},
    {68, "01020304", "AQIDBA=="},
    {99, "25763d73706631202b6d7820613a636f6c6f2e6578616d706c652e636f6d2f3238202d616c6c", "\"v=spf1 +mx a:colo.example.com/28 -all\""},
    {104, "000a00144fffff20ee64", "10 0014:4fff:ff20:ee64"},
    {105, "000a0a010200", "10 10.1.2.0"},
    {106, "000a20010db811401000", "10 2001:0db8:1140:1000"},
    {107, "000a0b6c36342d7375626e657431076578616d706c6503636f6d00", "10 l64-subnet1.example.com."},
    {108, "00005e00532a", "00-00-5e-00-53-2a"},
    {109, "00005eef1000002a", "00-00-5e-ef-10-00-00-2a"},
    {249, "086773732d747369670059682f0059683d10000300000004010203040000", "gss-tsig. 1500000000 1500003600 3 NOERROR 4 AQIDBA== 0"},
    {250, "0b686d61632d73686132353600000059682f00012c000401020304123400120006000059682f00", "hmac-sha256. 1500000000 300 4 AQIDBA== 4660 BADTIME 6 AABZaC8A"},
    {250, "0b686d61632d73686132353600ffffffffffff012c0000123400100000", "hmac-sha256. 281474976710655 300 0 4660 BADSIG 0"},
    {250, "08686d61632d6d6435077369672d616c670372656703696e74000000000000000000000000000f010000", "hmac-md5.sig-alg.reg.int. 0 0 0 0 3841 0"},
    {256, "000a00016674703a2f2f667470312e6578616d706c652e636f6d2f7075626c6963", "10 1 \"ftp://ftp1.example.com/public\""},
    {257, "000569737375656361312e6578616d706c652e6e65743b20706f6c6963793d6576", "0 issue \"ca1.example.net; policy=ev\""},
    {257, "8003746273556e6b6e6f776e", "128 tbs \"Unknown\""},
    {257, "000569737375653b", "0 issue \";\""},
    {257, "00056973737565", "0 issue \"\""},
    {258, "2c6170702d6e616d653a574f4c4647414e477c6170702d636c6173733a4f414d7c627573696e6573733d796573", "\"app-name:WOLFGANG|app-class:OAM|business=yes\""},
    {259, "0000000000000001020068747470733a2f2f7777772e6973632e6f72672f", "0 1 2 \"\" aHR0cHM6Ly93d3cuaXNjLm9yZy8="},
    {259, "499602d2499602d20109696d6167652f67696647494638396128", "1234567890 1234567890 1 \"image/gif\" R0lGODlhKA=="},
    {259, "0000000000000000ff00", "0 0 255 \"\" -"},
    {260, "0a00", "10 0 0 ."},
    {260, "0a01cb00710f", "10 0 1 203.0.113.15"},
    {260, "0a8220010db8000000000000000000000015", "10 1 2 2001:db8::15"},
    {260, "808309616d7472656c617973076578616d706c6503636f6d00", "128 1 3 amtrelays.example.com."},
    {261, "08716e616d656d696e0c6578746572723d31352d31372a696e666f75726c3d68747470733a2f2f7265736f6c7665722e6578616d706c652e636f6d2f6775696465", "\"qnamemin\" \"exterr=15-17\" \"infourl=https://resolver.example.com/guide\""},
    {262, "034254430178", "\"BTC\" \"x\""},
    {263, "095443502d76342d7636", "\"TCP-v4-v6\""},
    {264, "ffffffffffffffff", "18446744073709551615"},
    {32768, "ec4505012bb183af5f22588179a53b0a98631fad1a292118", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"},
    {32769, "ec4505012bb183af5f22588179a53b0a98631fad1a292118", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"},
    {65280, "0a0bff", "\\# 3 0A0BFF"},
    {65280, "", "\\# 0"},};

/* Broken: the text is what RFC 3597 makes of the octets. */
static const struct { uint16_t type; const char *hex, *reason; } broken[] = {
    {1, "0a0000", "rdata too short"},
    {1, "0a00000100", "octets left over in rdata"},
    {2, "", "name goes beyond its end"},
    {2, "01610000", "octets left over in rdata"},
    {16, "", "rdata too short"},
    {16, "0361", "rdata too short"},
    {20, "0161016100", "octets left over in rdata"},
    {25, "01000308", "rdata too short"},
    {25, "c000030801", "octets left over in rdata"},
    {29, "0112161389172dd070be15f000989d20", "unknown version of LOC"},
    {29, "00a2161389172dd070be15f000989d20", "bad location"},
    {29, "001a161389172dd070be15f000989d20", "bad location"},
    {29, "0012161393500001" "70be15f000989d20", "bad location"},
    {30, "00", "rdata too short"},
    {30, "0080", "bad type bit map"},
    {30, "004000", "bad type bit map"},
    {34, "0261", "unknown address format"},
    {34, "012b", "unknown address format"},
    {34, "00", "rdata too short"},
    {38, "8100", "bad address prefix"},
    {38, "01ff0000000000000000000000000000000000", "bad address prefix"},
    {39, "c000", "name pointer where none is allowed"},
    {42, "000118", "rdata too short"},
    {42, "00032000", "unknown address family"},
    {42, "00012100", "bad address prefix"},
    {42, "0001080400000000", "bad address prefix"},
    {42, "00010805c0000201ff", "bad address prefix"},
    {42, "000208810a0002", "rdata too short"},
    {43, "0001050100", "digest of wrong length"},
    {43, "0001050100000000000000000000000000000000000000", "digest of wrong length"},
    {43, "00010501000000000000000000000000000000000000000000", "digest of wrong length"},
    {43, "0001050200000000000000000000000000000000000000000000000000000000000000", "digest of wrong length"},
    {43, "00010503000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", "digest of wrong length"},
    {43, "000105040000000000000000000000000000000000000000000000000000000000000000", "digest of wrong length"},
    {43, "000105", "rdata too short"},
    {43, "00010509", "rdata too short"},
    {45, "0a0402", "unknown gateway type"},
    {45, "0a0001", "rdata too short"},
    {45, "0a0101c0000226", "rdata too short"},
    {45, "0a0000ff", "octets left over in rdata"},
    {45, "0a0102c000", "rdata too short"},
    {47, "000000", "bad type bit map"},
    {47, "00000140000001ff", "bad type bit map"},
    {47, "0000024000", "bad type bit map"},
    {47, "000021" "40", "bad type bit map"},
    {47, "00000240", "rdata too short"},
    {47, "00000180", "bad type bit map"},
    {47, "000001c0", "bad type bit map"},
    {48, "01000305", "rdata too short"},
    {50, "0100000c0000", "rdata too short"},
    {50, "0100000c05aabb", "rdata too short"},
    {50, "01010001000101000180", "bad type bit map"},
    {55, "0002000100", "rdata too short"},
    {59, "0000000100", "digest of wrong length"},
    {62, "0000004200030001c0", "bad type bit map"},
    {63, "00000000010100", "rdata too short"},
    {63, "0000000001090000000000000000000000", "rdata too short"},
    {63, "00000000010100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", "digest of wrong length"},
    {63, "000000000102000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", "digest of wrong length"},
    {64, "00010000040002", "rdata too short"},
    {64, "00010000030002003500030002003500", "service parameters not in order"},
    {64, "000100000300020035" "000100" "03026832", "service parameters not in order"},
    {64, "0001000003000100", "bad service parameter"},
    {64, "00010000010000", "bad service parameter"},
    {64, "000100000100030168", "rdata too short"},
    {64, "000100000100020268", "bad service parameter"},
    {64, "0001000001000100", "bad service parameter"},
    {64, "0001000001000302683200020001" "00", "bad service parameter"},
    {64, "00010000020000", "no-default-alpn without alpn"},
    {64, "000100" "00000002" "0002" "00020000", "no-default-alpn without alpn"},
    {64, "00010000040003010203", "bad service parameter"},
    {64, "00010000050000", "bad service parameter"},
    {64, "00010000000000", "bad service parameter"},
    {64, "000100000000020000", "bad service parameter"},
    {64, "00010000000004000300030003000200" "35", "bad service parameter"},
    {64, "000100000000020003", "mandatory service parameter missing"},
    {64, "0001000000000200030004000401020304", "mandatory service parameter missing"},
    {32769, "0001050100", "digest of wrong length"},
    {104, "000a0014", "rdata too short"},
    {108, "0000", "rdata too short"},
    {250, "00000000000000012c0004010203", "rdata too short"},
    {64, "000100000a0003016100", "bad service parameter"},
    {65, "000100000b000161", "bad service parameter"},
    {65, "000100000c0000", "bad service parameter"},
    {65, "000100000c00020064", "bad service parameter"},
    {65, "000100000c000403646f74", "bad service parameter"},
    {65, "000100000c000503646f7465", "bad service parameter"},
    {65, "000100000c000503643a7464", "bad service parameter"},
    {256, "000a0001", "rdata too short"},
    {257, "000061", "rdata too short"},
    {257, "0001" "2d61", "bad property tag"},
    {260, "0a04", "unknown gateway type"},
    {264, "00000000000000", "rdata too short"},
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static size_t unhex(const char *hex, uint8_t *ret)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = strlen(hex) / 2;

    assert_true(len <= RDATA_MAX);
    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) << 4 |
                           (strchr(digits, hex[2 * i + 1]) - digits));
    return len;
}

static struct guard guard_hex(const char *hex)
{
    uint8_t octets[RDATA_MAX];
    size_t len = unhex(hex, octets);

    return guard_copy(octets, len);
}

static void assert_text(struct text *t, const char *want)
{
    if (t->len != strlen(want) || (t->len > 0 && memcmp(t->buf, want, t->len) != 0))
        fail_msg("got %.*s, want %s", (int)t->len, t->buf, want);
    text_clear(t);
}

static void test_formats(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, DNS_TEXT_MAX);
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct guard g = guard_hex(samples[i].hex);

        assert_true(dns_rdata_text(&t, samples[i].type, g.span));
        assert_text(&t, samples[i].text);
        guard_free(&g);
    }
    text_destroy(&t);
}

/* A row of the table that no sample covers would be an untested format. */
static void test_every_type_has_a_sample(void **state)
{
    (void)state;
    for (unsigned type = 0; type <= 65535; type++) {
        bool sampled = false;

        for (size_t i = 0; i < COUNT(samples) && !sampled; i++)
            sampled = samples[i].type == type;
        if (dns_rdata_row((uint16_t)type) && !sampled)
            fail_msg("no sample for type %u", type);
    }
}

/* Types with a name and RFC 3597 as their only format: doc/adding-an-rr-type.md says why. */
static void test_types_without_a_format(void **state)
{
    static const uint16_t none[] = {10,  41,  69,  70,  100, 101, 102,
                                    103, 128, 251, 252, 253, 254, 255};
    size_t found = 0;

    (void)state;
    for (unsigned type = 0; type <= 65535; type++) {
        const struct dns_rdata_row *row = dns_rdata_row((uint16_t)type);

        if (names_find(&names_rr_type, type).len == 0 || (row && row->fields[0]))
            continue;
        assert_true(found < COUNT(none));
        assert_int_equal(none[found++], type);
    }
    assert_int_equal(found, COUNT(none));
}

static void test_table_ascends(void **state)
{
    const struct dns_rdata_row *last = NULL;

    (void)state;
    for (unsigned type = 0; type <= 65535; type++) {
        const struct dns_rdata_row *row = dns_rdata_row((uint16_t)type);

        if (!row)
            continue;
        assert_int_equal(row->type, type);
        assert_true(!last || row == last + 1);
        assert_null(row->fields[DNS_FIELDS_MAX]);
        assert_true(names_find(&names_rr_type, type).len > 0);
        last = row;
    }
}

static void test_broken(void **state)
{
    struct text t, want;

    (void)state;
    text_init(&t, DNS_TEXT_MAX);
    text_init(&want, DNS_TEXT_MAX);
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct guard g = guard_hex(broken[i].hex);
        struct dns_names names = {.message = g.span};
        struct dns_rdata r = {.in = cursor_of(g.span), .out = &t, .names = &names, .class = 1};
        struct str data;

        text_clear(&want);
        dns_generic_put(&want, g.span);
        text_put_char(&want, '\0');
        if (dns_rdata_text(&t, broken[i].type, g.span))
            fail_msg("type %u %s is not broken", broken[i].type, broken[i].hex);
        assert_text(&t, want.buf);
        assert_false(dns_rdata_put(&r, broken[i].type, &data));
        if (strcmp(r.reason, broken[i].reason) != 0)
            fail_msg("type %u %s: %s, want %s", broken[i].type, broken[i].hex, r.reason,
                     broken[i].reason);
        assert_true(r.at >= g.span.ptr && r.at <= g.span.ptr + g.span.len);
        assert_int_equal(data.len, want.len - 1);
        assert_memory_equal(data.ptr, want.buf, data.len);
        text_clear(&t);
        guard_free(&g);
    }
    text_destroy(&want);
    text_destroy(&t);
}

/* Cut anywhere, or with an octet more: the format or RFC 3597, printable, and nothing read beyond. */
static void test_cut_and_padded(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, DNS_TEXT_MAX);
    for (size_t i = 0; i < COUNT(samples); i++) {
        uint8_t octets[RDATA_MAX + 1] = {0};
        size_t len = unhex(samples[i].hex, octets);

        for (size_t cut = 0; cut <= len + 1; cut++) {
            struct guard g = guard_copy(octets, cut);
            bool good;

            text_clear(&t);
            good = dns_rdata_text(&t, samples[i].type, g.span);
            assert_true(good || (t.len >= 4 && memcmp(t.buf, "\\# ", 3) == 0));
            for (size_t k = 0; k < t.len; k++)
                assert_true(t.buf[k] >= 0x20 && t.buf[k] <= 0x7e);
            guard_free(&g);
        }
    }
    text_destroy(&t);
}

/* Whatever the limit, there is no more text than that and no octet behind it is touched. */
static void test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct guard g = guard_hex(samples[i].hex);

        for (size_t limit = 0; limit < 64; limit += 7) {
            struct text t;

            text_init(&t, limit);
            if (dns_rdata_text(&t, samples[i].type, g.span) && !t.overflow)
                assert_text(&t, samples[i].text);
            assert_true(t.len <= limit);
            text_destroy(&t);
        }
        guard_free(&g);
    }
}

/* A map of more than 65536 ports is none (RFC 1035 3.4.2). */
static void test_wks_beyond_its_ports(void **state)
{
    static uint8_t octets[5 + 8192 + 1] = {192, 0, 2, 1, 6};
    struct text t;

    (void)state;
    text_init(&t, DNS_TEXT_MAX);
    octets[5 + 8191] = 1;
    assert_true(dns_rdata_text(&t, 11, span_of(octets, sizeof(octets) - 1)));
    assert_text(&t, "192.0.2.1 6 65535");
    assert_false(dns_rdata_text(&t, 11, span_of(octets, sizeof(octets))));
    assert_memory_equal(t.buf, "\\# 8198 C000020106", 18);
    text_destroy(&t);
}

/* A map of more types than are shown has the RFC 3597 text, which is no fault; of as many, their names. One
 * that is broken too is broken. */
static void test_maps_as_long_as_shown(void **state)
{
    uint8_t types[1 + 2 + 17 + 3] = {0, 1, 16}, ports[5 + 17] = {192, 0, 2, 1, 6};
    struct dns_names names = {.message = span_of(types, sizeof(types))};
    struct dns_rdata r = {.in = cursor_of(span_of(types, 19)), .names = &names, .class = 1};
    struct text t;
    struct str data;

    (void)state;
    text_init(&t, DNS_TEXT_MAX);
    r.out = &t;
    memset(types + 3, 0xff, 16);
    memset(ports + 5, 0xff, 16);
    assert_true(dns_rdata_text(&t, 47, span_of(types, 19)));
    assert_memory_equal(t.buf, ". URI CAA ", 10);
    assert_true(t.len > 8 && memcmp(t.buf + t.len - 8, " TYPE383", 8) == 0);
    text_clear(&t);
    assert_true(dns_rdata_text(&t, 11, span_of(ports, 21)));
    assert_true(t.len > 4 && memcmp(t.buf + t.len - 4, " 127", 4) == 0);

    types[2]++;
    types[19] = ports[21] = 0x80;
    text_clear(&t);
    assert_true(dns_rdata_text(&t, 47, span_of(types, 20)));
    assert_text(&t, "\\# 20 000111FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF80");
    text_clear(&t);
    r.in = cursor_of(span_of(types, 20));
    assert_true(dns_rdata_put(&r, 47, &data));
    assert_true(data.len > 5 && memcmp(data.ptr, "\\# 20 ", 6) == 0);
    text_clear(&t);
    assert_true(dns_rdata_text(&t, 11, span_of(ports, 22)));
    assert_text(&t, "\\# 22 C000020106FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF80");

    text_clear(&t);
    r.in = cursor_of(span_of(types, 21));
    assert_false(dns_rdata_put(&r, 47, &data));
    assert_string_equal(r.reason, "rdata too short");
    text_destroy(&t);
}

/* In class CH, A is a name and an octal address. */
static void test_chaos_address(void **state)
{
    struct guard g = guard_hex("02636800"
                               "0123");
    struct dns_names names = {.message = g.span};
    struct dns_rdata r = {.in = cursor_of(g.span), .names = &names, .class = 3};
    struct text t;
    struct str data;

    (void)state;
    text_init(&t, 4096);
    r.out = &t;
    assert_true(dns_rdata_put(&r, 1, &data));
    assert_text(&t, "ch. 443");
    r.in = cursor_of(span_of(g.span.ptr, 4));
    assert_false(dns_rdata_put(&r, 1, &data));
    assert_string_equal(r.reason, "rdata too short");
    text_destroy(&t);
    guard_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_every_type_has_a_sample),
        cmocka_unit_test(test_types_without_a_format),
        cmocka_unit_test(test_table_ascends),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_cut_and_padded),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_wks_beyond_its_ports),
        cmocka_unit_test(test_maps_as_long_as_shown),
        cmocka_unit_test(test_chaos_address),
    };

    return cmocka_run_group_tests_name("dns_rdata", tests, NULL, NULL);
}
