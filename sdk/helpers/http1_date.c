/* http1_date.c - the date of a message. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "http1_date.h"

void gost_http1_date(char *to, uint64_t seconds)
{
    static const char days[] = "ThuFriSatSunMonTueWed";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint64_t day = seconds / 86400, era, of_era, year, of_year, month;
    unsigned rest = (unsigned)(seconds % 86400);

    /* Years begin in March: the leap day is their last. */
    day += 719468;
    era = day / 146097;
    of_era = day % 146097;
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    month = (5 * of_year + 2) / 153;
    day = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 2 : month - 10;
    year = (year + era * 400 + (month < 2)) % 10000;
    snprintf(to, GOST_HTTP1_DATE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
             days + seconds / 86400 % 7 * 3, (unsigned)day % 100, months + month * 3,
             (unsigned)year, rest / 3600, rest / 60 % 60, rest % 60);
}
