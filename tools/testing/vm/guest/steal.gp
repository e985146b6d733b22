# SPDX-License-Identifier: GPL-2.0
# The picture of "make guest": steal of a guest over time, beside what its vCPUs waited.
# gnuplot -e "out='...'; base='...'; series='...'" steal.gp
# A line of base and series: seconds, steal, waited, 1 beside a hog, a label or -.
set terminal svg size 920,420 dynamic font "sans-serif,13" background "#ffffff"
set output out
set datafile separator "\t"

max(a, b) = a > b ? a : b
stats base using 2:3 nooutput prefix "B"
stats series using 2:3 nooutput prefix "S"
stats base using 1 nooutput prefix "TB"
stats series using 1 nooutput prefix "TS"
top = ceil(1.12 * max(max(B_max_x, B_max_y), max(S_max_x, S_max_y)))
set multiplot layout 1,2 title "What a guest with busy vCPUs shows as steal, and what they really waited"
set yrange [0:top]
set xrange [0:ceil(max(TB_max, TS_max))]
set xlabel "seconds"
set ylabel "seconds, of all vCPUs"
set key below reverse Left samplen 2 maxrows 2
set grid ytics lc rgb "#dddddd"
set border 3
set style fill solid 1 noborder
set tics nomirror out
beside(hog) = hog > 0 ? top : 0
do for [i = 1:2] {
	file = i == 1 ? base : series
	set title i == 1 ? "base kernel" : "series"
	plot file using 1:(beside($4)) with fillsteps fc rgb "#eeeeee" title "beside a hog", \
		file using 1:2 with lines lw 3 lc rgb (i == 1 ? "#cc3311" : "#0077bb") title "steal in the guest's /proc/stat", \
		file using 1:3 with lines lw 2 dt 2 lc rgb "#000000" title "what its vCPUs waited", \
		file using 1:(strcol(5) eq "-" ? NaN : $2):5 with labels right offset -0.8,0.6 point pt 7 ps 0.7 notitle
}
unset multiplot
